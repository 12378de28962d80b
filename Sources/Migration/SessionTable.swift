// The incoming migrations of a server: who may join which, and guests whose fate is undecided.

import Host
import MigrationProtocol
import Model
import PeerLink
import Synchronization

/// A guest that may or may not be owned here: GO came, and the ledger could not be written.
struct UndecidedGuest: Sendable {
    let offer: MigrationOffer
    let source: HostName
    let guest: any DestinationGuest
    let refusal: MigrationRefusal
}

/// Any thread may call.
final class SessionTable: Sendable {
    private struct State {
        var sessions: [ObjectIdentifier: IncomingSession] = [:]
        var undecided: [VMID: UndecidedGuest] = [:]
    }

    private let state = Mutex(State())

    /// A new session, nil when there are too many, or no descriptor for it.
    func open(
        host: any MigrationHost, timing: PeerTiming, runtime: any MigrationRuntime
    ) -> IncomingSession? {
        // Too few descriptors is one way of being busy.
        guard let session = try? IncomingSession(host: host, timing: timing, runtime: runtime)
        else { return nil }
        return state.withLock {
            guard $0.sessions.count < Limits.sessionsMax else { return nil }
            $0.sessions[ObjectIdentifier(session)] = session
            return session
        }
    }

    func close(_ session: IncomingSession) {
        state.withLock { $0.sessions[ObjectIdentifier(session)] = nil }
    }

    /// The session that waits for this stream from this peer. A stream is claimed once.
    func claim(_ token: [UInt8], stream: Int, from peer: HostName) -> IncomingSession? {
        let sessions = state.withLock { Array($0.sessions.values) }
        return sessions.first { $0.claim(token, stream: stream, from: peer) }
    }

    /// Ends the sessions that GO cannot have reached.
    func endAll() {
        let sessions = state.withLock { Array($0.sessions.values) }
        for session in sessions { session.endUnlessCommitted() }
    }

    func keep(_ guest: UndecidedGuest) {
        state.withLock { $0.undecided[guest.offer.vm] = guest }
    }

    /// The guest of a migration whose fate has been decided.
    func takeUndecided(_ vm: VMID, _ migration: MigrationID) -> UndecidedGuest? {
        state.withLock {
            guard $0.undecided[vm]?.offer.migration == migration else { return nil }
            return $0.undecided.removeValue(forKey: vm)
        }
    }
}
