// A destination host: builds fake guests, remembers what became of them.

package import Host
package import Migration
package import MigrationProtocol
package import Model
package import Ownership
package import PeerLink
import Synchronization

/// A host with a server, a ledger and the guests that arrived.
package final class FakeHost: MigrationHost {
    private struct State {
        var guests: [FakeGuest] = []
        var outcomes: [IncomingOutcome] = []
        var parkings = 0
        var unparkings = 0
        var server: PeerServer?
        var address: SocketAddress?
    }

    package let name: HostName
    package let ledger: any OwnershipLedger
    private let onPrepare: @Sendable (MigrationOffer) throws(MigrationRefusal) -> Void
    private let onCall: @Sendable (String) throws(GuestError) -> Void
    private let state = Mutex(State())
    package let finishedNews: Wakeup

    package init(
        name: String, ledger: any OwnershipLedger = MemoryLedger(),
        onPrepare: @escaping @Sendable (MigrationOffer) throws(MigrationRefusal) -> Void = { _ in },
        onCall: @escaping @Sendable (String) throws(GuestError) -> Void = { _ in }
    ) throws {
        self.name = try HostName(name)
        self.ledger = ledger
        self.onPrepare = onPrepare
        self.onCall = onCall
        finishedNews = try Wakeup()
    }

    package func prepareGuest(
        for offer: MigrationOffer, from source: HostName
    ) throws(MigrationRefusal) -> any DestinationGuest {
        try onPrepare(offer)
        do {
            let guest = try FakeGuest(
                name: offer.spec.name.text, memory: offer.spec.memory, isRunning: false,
                onCall: onCall)
            state.withLock { $0.guests.append(guest) }
            return guest
        } catch { throw MigrationRefusal(.hostFailure, text: "\(error)") }
    }

    package func didFinishMigration(
        for offer: MigrationOffer, from source: HostName, outcome: IncomingOutcome
    ) {
        state.withLock { $0.outcomes.append(outcome) }
        finishedNews.setFlag()
    }

    package func supersedeOwnership(with record: LedgerRecord) throws(MigrationRefusal) {
        for guest in guests where guest.now.isRunning {
            do {
                try guest.pauseForHandover()
                try guest.sealForHandover()
            } catch { throw MigrationRefusal(.guestFailure, text: "\(error)") }
        }
        do { try ledger.appendRecord(record) } catch {
            throw MigrationRefusal(.ledgerFailure, text: "\(error)")
        }
    }

    package func didSuspendMigration(
        for offer: MigrationOffer, from source: HostName, limit: Duration
    ) {
        state.withLock { $0.parkings += 1 }
        finishedNews.setFlag()
    }

    package func didResumeMigration(for offer: MigrationOffer, from source: HostName) {
        state.withLock { $0.unparkings += 1 }
    }

    package var parkings: Int { state.withLock { $0.parkings } }
    package var unparkings: Int { state.withLock { $0.unparkings } }
    package var guests: [FakeGuest] { state.withLock { $0.guests } }
    package var outcomes: [IncomingOutcome] { state.withLock { $0.outcomes } }

    /// Waits for the first outcome.
    package func waitForOutcome() throws -> IncomingOutcome {
        while true {
            if let outcome = outcomes.first { return outcome }
            guard try finishedNews.waitUntilSet(before: .now + .seconds(20)) else {
                throw TestFailure("no outcome at \(name)")
            }
            finishedNews.clearFlag()
        }
    }

    /// Waits until the connection of an incoming migration was lost so many times.
    package func waitForParkings(_ count: Int) throws {
        while parkings < count {
            guard try finishedNews.waitUntilSet(before: .now + .seconds(20)) else {
                throw TestFailure("nothing was parked at \(name)")
            }
            finishedNews.clearFlag()
        }
    }

    /// Serves on a port of its own on loopback, after a stop on the same; returns where.
    package func serve(_ keys: PeerKeys, timing: PeerTiming = PeerTiming()) throws -> PeerAddress {
        let wanted = state.withLock { $0.address } ?? SocketAddress(ip: "127.0.0.1", port: 0)
        let listener = try TCPSocket.openListener(on: wanted)
        let port = try TCPSocket.boundPort(of: listener)
        let server = try PeerServer(listener: listener, keys: keys, host: self, timing: timing)
        let address = SocketAddress(ip: "127.0.0.1", port: port)
        state.withLock {
            $0.server = server
            $0.address = address
        }
        return PeerAddress(name: name, address: address)
    }

    package func endParked(_ vm: VMID) -> Bool {
        state.withLock { $0.server }?.endSuspendedSession(of: vm) ?? false
    }

    package func stop() {
        let server = state.withLock { $0.server.take() }
        server?.stop()
    }
}
