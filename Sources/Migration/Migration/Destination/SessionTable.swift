// The incoming migrations of a server: which peer may join which session, suspended sessions that wait for their source
// to reconnect, and guests whose ownership is undecided.

import Host
import MigrationProtocol
import Model
import PeerLink
import Synchronization

/// A guest that this host may or may not own: GO arrived, and the ledger could not be written.
struct UndecidedGuest: Sendable {
    let offer: MigrationOffer
    let source: HostName
    let guest: any DestinationGuest
    let refusal: MigrationRefusal
}

/// Any thread may call. The caller that removes a suspended session owns it, and ends with `closeSession` or
/// `suspendSession`.
final class SessionTable: Sendable {
    private struct SuspendedSession {
        let session: IncomingSession
        let offer: MigrationOffer
        let source: HostName
        let deadline: Instant
    }

    private struct State {
        /// The sessions that have a thread.
        var sessions: [ObjectIdentifier: IncomingSession] = [:]
        var suspended: [VMID: SuspendedSession] = [:]
        var undecided: [VMID: UndecidedGuest] = [:]
        var isClosed = false
    }

    private let state = Mutex(State())

    /// Opens a session; nil if there are too many sessions, or no file descriptor is available.
    func openSession(
        host: any MigrationHost, timing: PeerTiming, runtime: any MigrationRuntime
    ) -> IncomingSession? {
        // Too few file descriptors count as busy.
        guard let session = try? IncomingSession(host: host, timing: timing, runtime: runtime)
        else { return nil }
        return state.withLock {
            guard !$0.isClosed, $0.sessions.count < Limits.sessionsMax else { return nil }
            $0.sessions[ObjectIdentifier(session)] = session
            return session
        }
    }

    func closeSession(_ session: IncomingSession) {
        state.withLock { $0.sessions[ObjectIdentifier(session)] = nil }
    }

    /// Suspended sessions use memory: they count toward the limit.
    var hasRoomForMemory: Bool {
        state.withLock { $0.sessions.count + $0.suspended.count <= Limits.sessionsMax }
    }

    /// The session that expects this stream from this peer. A stream is claimed once.
    func claimStream(token: [UInt8], stream: Int, from peer: HostName) -> IncomingSession? {
        let sessions = state.withLock { Array($0.sessions.values) }
        return sessions.first { $0.claimStream(token: token, stream: stream, from: peer) }
    }

    /// Ends the sessions that GO cannot have reached, and refuses new ones.
    func endAllSessions() {
        let sessions = state.withLock {
            $0.isClosed = true
            return Array($0.sessions.values)
        }
        for session in sessions { session.endUnlessCommitted() }
    }

    func retainGuest(_ guest: UndecidedGuest) {
        state.withLock { $0.undecided[guest.offer.vm] = guest }
    }

    /// Removes the guest of a migration whose ownership has been decided.
    func removeUndecidedGuest(of vm: VMID, migration: MigrationID) -> UndecidedGuest? {
        state.withLock {
            guard $0.undecided[vm]?.offer.migration == migration else { return nil }
            return $0.undecided.removeValue(forKey: vm)
        }
    }
}

// MARK: Suspended sessions

extension SessionTable {
    func suspendSession(
        _ session: IncomingSession, offer: MigrationOffer, from source: HostName,
        until deadline: Instant
    ) {
        state.withLock {
            $0.sessions[ObjectIdentifier(session)] = nil
            $0.suspended[offer.vm] = SuspendedSession(
                session: session, offer: offer, source: source, deadline: deadline)
        }
    }

    /// Tells a session of this VM from this source that its connection is lost; false if there is none.
    func supersedeSession(of vm: VMID, from source: HostName) -> Bool {
        let sessions = state.withLock { Array($0.sessions.values) }
        let old = sessions.filter {
            $0.shared.withLock { $0.offer?.vm == vm && $0.source == source }
        }
        for session in old { session.supersede() }
        return !old.isEmpty
    }

    func removeSuspendedSession(of vm: VMID, from source: HostName) -> IncomingSession? {
        removeSuspendedSession { $0.offer.vm == vm && $0.source == source && !$1 }
    }

    func removeSuspendedSession(of vm: VMID, migration: MigrationID) -> IncomingSession? {
        removeSuspendedSession { parked, _ in
            parked.offer.vm == vm && parked.offer.migration == migration
        }
    }

    func removeSuspendedSession(of vm: VMID) -> IncomingSession? {
        removeSuspendedSession { parked, _ in parked.offer.vm == vm }
    }

    func removeExpiredSession(at now: Instant) -> IncomingSession? {
        removeSuspendedSession { parked, _ in parked.deadline <= now }
    }

    func hasExpiredSession(at now: Instant) -> Bool {
        state.withLock { $0.suspended.values.contains { $0.deadline <= now } }
    }

    func removeAnySuspended() -> IncomingSession? { removeSuspendedSession { _, _ in true } }

    private func removeSuspendedSession(
        where isWanted: (_ parked: SuspendedSession, _ isClosed: Bool) -> Bool
    ) -> IncomingSession? {
        state.withLock { state in
            // The session that expires first, so that the order is deterministic.
            guard
                let (vm, parked) = state.suspended.filter({ isWanted($1, state.isClosed) })
                    .min(by: { $0.value.deadline < $1.value.deadline })
            else { return nil }
            state.suspended[vm] = nil
            state.sessions[ObjectIdentifier(parked.session)] = parked.session
            return parked.session
        }
    }
}
