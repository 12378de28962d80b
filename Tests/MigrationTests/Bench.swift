// A source, a proxy and a destination, ready to migrate.

import Host
import Migration
import MigrationProtocol
import MigrationTestSupport
import Model
import Ownership
import PeerLink
import Synchronization

/// Keys are dear to make: one set for all tests.
enum SharedKeys {
    static let all: (keys: TestKeys, a: PeerKeys, b: PeerKeys) = {
        do {
            let keys = try TestKeys()
            return (
                keys, try PeerKeys(folder: keys.issue("a")), try PeerKeys(folder: keys.issue("b"))
            )
        } catch { fatalError("no keys: \(error)") }
    }()
}

/// What hooks may do: cut the link, cancel.
final class Levers: Sendable {
    private struct State {
        var proxy: CuttableProxy?
        var migration: SourceMigration?
        var cancelRefusal: CancelRefusal?
        var cancelledAt: Instant?
        var host: FakeHost?
        var hasFired = false
    }

    private let state = Mutex(State())

    func arm(_ proxy: CuttableProxy, _ migration: SourceMigration, _ host: FakeHost) {
        state.withLock {
            $0.host = host
            $0.proxy = proxy
            $0.migration = migration
        }
    }

    /// True the first time.
    func fire() -> Bool {
        state.withLock { state in
            defer { state.hasFired = true }
            return !state.hasFired
        }
    }

    func cut(mended: Bool) { state.withLock { $0.proxy }?.cut(mended: mended) }
    func cutSilently() { state.withLock { $0.proxy }?.cutSilently() }

    /// The destination's operator decides that nothing that arrives there will ever have run.
    func giveUp() {
        guard let ledger = state.withLock({ $0.host })?.ledger else { return }
        for (vm, ownership) in ledger.ownerships {
            guard case .incoming(let epoch, _, let migration) = ownership else { continue }
            // A ledger that does not take it makes the test fail by what follows.
            try? ledger.appendRecord(.neverRan(vm: vm, epoch: epoch, migration: migration))
        }
    }

    func stall() { state.withLock { $0.proxy }?.stall() }
    func waitForStall() { state.withLock { $0.proxy }?.waitForStall() }
    func stopHost() { state.withLock { $0.host }?.stop() }

    func cancel() {
        state.withLock { $0.cancelledAt = .now }
        do throws(CancelRefusal) {
            try state.withLock { $0.migration }?.requestCancellation()
        } catch {
            state.withLock { $0.cancelRefusal = error }
        }
    }

    var cancelledAt: Instant? { state.withLock { $0.cancelledAt } }
    var cancelRefusal: CancelRefusal? { state.withLock { $0.cancelRefusal } }
}

/// Where in a migration something is done to it.
enum Moment: Hashable, Sendable {
    case prepare
    case sourceCall(String)
    case destinationCall(String)
    case sourceRecord(String)
    case destinationRecord(String)
}

private func kind(_ record: LedgerRecord) -> String {
    switch record {
    case .owned: "owned"
    case .released: "released"
    case .handedOver: "handedOver"
    case .incoming: "incoming"
    case .neverRan: "neverRan"
    case .takenOver: "ruled"
    case .superseded: "overruled"
    case .deleted: "deleted"
    }
}

/// One migration under test.
struct Bench {
    let vm = VMID.random()
    let guest: FakeGuest
    let sourceLedger: MemoryLedger
    let host: FakeHost
    let destinationLedger: MemoryLedger
    let proxy: CuttableProxy
    let migration: SourceMigration
    let address: PeerAddress
    let levers: Levers
    let timing: PeerTiming

    /// Gives up soon: most tests cut for good.
    static let shortTiming: PeerTiming = {
        var timing = PeerTiming()
        timing.reconnectPauseMin = .milliseconds(20)
        timing.reconnectFor = .milliseconds(100)
        return timing
    }()

    /// Comes back soon, and goes on trying.
    static let patientTiming: PeerTiming = {
        var timing = PeerTiming()
        timing.reconnectPauseMin = .milliseconds(20)
        timing.reconnectPauseMax = .milliseconds(200)
        timing.reconnectsMax = 200
        return timing
    }()

    /// - Parameters:
    ///   - failures: ledger records that cannot be written, by side and kind.
    ///   - failingCalls: guest calls that fail.
    ///   - moment, action: what is done, once, when the migration is there.
    init(
        memory: ByteCount = .mebibytes(16), streams: Int = 2, compression: Compression = .none,
        limit: Duration = .seconds(2), refusal: MigrationRefusal? = nil,
        failingRecords: Set<Moment> = [], failingCalls: Set<Moment> = [],
        timing: PeerTiming = Self.shortTiming, isRehearsal: Bool = false,
        verifiesMemory: Bool = true, at moment: Moment? = nil,
        do action: @escaping @Sendable (Levers) -> Void = { _ in }
    ) throws {
        let levers = Levers()
        let pass: @Sendable (Moment) -> Void = { now in
            if now == moment, levers.fire() { action(levers) }
        }
        let vm = vm
        sourceLedger = MemoryLedger([.owned(vm: vm, epoch: .first, migration: nil)]) {
            (record) throws(LedgerError) in
            pass(.sourceRecord(kind(record)))
            if failingRecords.contains(.sourceRecord(kind(record))) {
                throw .failed(SystemError(call: "test", code: 5))
            }
        }
        let failedOnce = Mutex<Set<String>>([])
        destinationLedger = MemoryLedger { (record) throws(LedgerError) in
            pass(.destinationRecord(kind(record)))
            // Each kind fails once: a disk that comes back.
            if failingRecords.contains(.destinationRecord(kind(record))),
                failedOnce.withLock({ $0.insert(kind(record)).inserted })
            {
                throw .failed(SystemError(call: "test", code: 5))
            }
        }
        guest = try FakeGuest(memory: memory, downtimeLimit: limit) { (call) throws(GuestError) in
            pass(.sourceCall(call))
            if failingCalls.contains(.sourceCall(call)) {
                throw GuestError(operation: call, detail: "as the test wants")
            }
        }
        host = try FakeHost(
            name: "b", ledger: destinationLedger,
            onPrepare: { (_) throws(MigrationRefusal) in
                pass(.prepare)
                if let refusal { throw refusal }
            },
            onCall: { (call) throws(GuestError) in
                pass(.destinationCall(call))
                if failingCalls.contains(.destinationCall(call)) {
                    throw GuestError(operation: call, detail: "as the test wants")
                }
            })
        var timing = timing
        timing.connect = .seconds(2)
        timing.questionsMax = 2
        timing.questionPause = .milliseconds(20)
        let direct = try host.serve(SharedKeys.all.b, timing: timing)
        proxy = try CuttableProxy(to: direct.address)
        address = PeerAddress(name: host.name, address: proxy.address)
        migration = SourceMigration(
            vm: vm, epoch: .first, guest: guest, to: address, keys: SharedKeys.all.a,
            ledger: sourceLedger,
            options: MigrationOptions(
                streams: streams, compression: compression, timing: timing,
                isRehearsal: isRehearsal, verifiesMemory: verifiesMemory))
        self.timing = timing
        levers.arm(proxy, migration, host)
        self.levers = levers
    }

    /// The same VM once more, to the same host.
    func anotherMigration(streams: Int = 2) -> SourceMigration {
        SourceMigration(
            vm: vm, epoch: .first, guest: guest, to: address, keys: SharedKeys.all.a,
            ledger: sourceLedger,
            options: MigrationOptions(streams: streams, compression: .none, timing: timing))
    }

    func end() {
        guest.stopWriting()
        host.stop()
        proxy.end()
    }

    /// Runs and ends everything.
    func run() -> Result<MigrationReport, MigrationFailure> {
        defer { end() }
        return attempt()
    }

    func attempt() -> Result<MigrationReport, MigrationFailure> {
        do throws(MigrationFailure) { return .success(try migration.runToCompletion()) } catch {
            return .failure(error)
        }
    }

    /// Guests that may execute instructions now.
    var running: Int {
        (guest.now.isRunning ? 1 : 0) + host.guests.filter { $0.now.isRunning }.count
    }
}

extension Result {
    var error: Failure? {
        if case .failure(let error) = self { error } else { nil }
    }
}
