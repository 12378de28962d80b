// The server of the peer protocol at a destination: accepts peers, checks their certificates, and runs their sessions.
//
// One thread accepts connections; each connection then has its own thread from the handshake on, so that a slow or
// silent client delays no other. A connection first states its purpose: the control connection of a migration, one of
// its data streams (bound to the session by a token that each stream uses once), or an ownership query.

package import Host
import MigrationProtocol
package import Model
package import PeerLink
import Synchronization

/// Serves the peer protocol on its own threads.
package final class PeerServer: Sendable {
    private let listener: any LinkListener
    private let runtime: any MigrationRuntime
    private let host: any MigrationHost
    private let timing: PeerTiming
    private let sessions = SessionTable()
    private let connections: ThreadGroup
    private let stopping: any WakeFlag
    private let isStopping = Atomic<Bool>(false)
    private let acceptor = Mutex<(any RunningThread)?>(nil)

    /// Starts at once. `host` is retained until the server is stopped.
    package convenience init(
        listener: Descriptor, keys: PeerKeys, host: any MigrationHost,
        timing: PeerTiming = PeerTiming()
    ) throws(SystemError) {
        try self.init(
            listener: SystemListener(listener, keys: keys), host: host, timing: timing,
            runtime: SystemRuntime(keys: keys))
    }

    package init(
        listener: any LinkListener, host: any MigrationHost, timing: PeerTiming,
        runtime: any MigrationRuntime
    ) throws(SystemError) {
        self.listener = listener
        self.runtime = runtime
        self.host = host
        self.timing = timing
        connections = ThreadGroup(runtime: runtime)
        stopping = try runtime.makeWakeFlag()
        let thread = try runtime.startThread(name: "ferry-accept", nice: 0) { [self] in
            acceptUntilStopped()
        }
        acceptor.withLock { $0 = thread }
    }

    /// Ends every session that has not been released yet, waits for those that have, and returns when all threads have
    /// ended.
    package func stop() {
        isStopping.store(true, ordering: .releasing)
        stopping.setFlag()
        let thread = acceptor.withLock { $0.take() }
        thread?.joinThread()
        sessions.endAllSessions()
        connections.wakeAllThreads()
        connections.joinAllThreads()
        let refusal = MigrationRefusal(.hostFailure, text: "the destination's agent is stopping")
        while let parked = sessions.removeAnySuspended() {
            endSuspendedSession(parked, with: .failed(refusal))
        }
    }

    /// Ends what is retained of a VM whose connection was lost; false if nothing is. Returns after it has ended.
    package func endSuspendedSession(of vm: VMID) -> Bool {
        guard let parked = sessions.removeSuspendedSession(of: vm) else { return false }
        endSuspendedSession(
            parked,
            with: .failed(
                MigrationRefusal(.cancelled, text: "the VM was deleted at the destination")))
        return true
    }

    private func endSuspendedSession(
        _ parked: IncomingSession, with event: DestinationMachine.Event
    ) {
        IncomingDriver(session: parked, control: nil, sessions: sessions).endSuspendedSession(
            with: event)
    }

    /// Runs on its own thread: writing and ending a process take time.
    private func endExpiredSessions() throws(SystemError) {
        guard sessions.hasExpiredSession(at: runtime.now) else { return }
        try connections.startThread { [self] _ in
            while let parked = sessions.removeExpiredSession(at: runtime.now) {
                endSuspendedSession(parked, with: .expired)
            }
        }
    }

    private func acceptUntilStopped() {
        while !isStopping.load(ordering: .acquiring) {
            connections.joinFinished()
            do {
                try endExpiredSessions()
                let tick = runtime.now + Limits.acceptTick
                guard let arrival = try listener.acceptArrival(wakingOn: stopping, until: tick)
                else {
                    continue
                }
                // Beyond the limit a client is closed without a refusal: a refusal needs a handshake, which costs CPU
                // time.
                guard connections.count < Limits.connectionsMax else { continue }
                try connections.startThread { [self] wakeup in serveArrival(arrival, wakeup: wakeup)
                }
            } catch {
                // One client failed, or file descriptors were short for a moment: the next accept may succeed. The
                // pause prevents a busy loop when the failure persists.
                _ = try? stopping.waitUntilSet(before: runtime.now + Limits.acceptTick)
            }
        }
    }

    private func serveArrival(_ arrival: any ArrivingLink, wakeup: any WakeFlag) {
        do {
            let connection = try arrival.completeHandshake(
                silenceMax: Limits.helloTimeout, interruptedBy: wakeup)
            try serveConnection(connection)
        } catch {
            // The handshake failed: TLS has sent the client the reason, and there is no session to notify.
        }
    }

    private func serveConnection(_ connection: any Link) throws(LinkError) {
        do {
            try ExpectedPeer.anyAgent.checkIdentity(connection.peer, in: listener.cluster)
        } catch {
            return try refuseConnection(
                connection, with: MigrationRefusal(.notAllowed, text: "\(error)"))
        }
        let first: PeerMessage
        do { first = try connection.receiveMessage() } catch {
            return try refuseConnection(connection, with: error.refusal)
        }
        guard case .hello(let versions, let purpose) = first else {
            return try refuseConnection(
                connection,
                with: MigrationRefusal(.protocolViolation, text: "\(first.name) before hello"))
        }
        let ours = MigrationProtocol.Limits.versionMin...MigrationProtocol.Limits.versionMax
        guard let version = agreedVersion(ours: ours, theirs: versions) else {
            return try refuseConnection(
                connection,
                with: MigrationRefusal(
                    .versionMismatch,
                    text:
                        "the hosts have no common version of the peer protocol: the destination supports \(ours.lowerBound) to \(ours.upperBound), the source \(versions.lowerBound) to \(versions.upperBound)",
                    details: [
                        "here \(ours.lowerBound) to \(ours.upperBound)",
                        "there \(versions.lowerBound) to \(versions.upperBound)",
                    ]))
        }
        try serveConnection(connection, purpose: purpose, version: version)
    }

    private func serveConnection(
        _ connection: any Link, purpose: ConnectionPurpose, version: UInt16
    ) throws(LinkError) {
        switch purpose {
        case .control:
            guard let session = sessions.openSession(host: host, timing: timing, runtime: runtime)
            else {
                return try refuseConnection(
                    connection,
                    with: MigrationRefusal(
                        .busy, text: "\(Limits.sessionsMax) incoming migrations are running already"
                    ))
            }
            do { try connection.sendMessage(.welcome(version: version)) } catch {
                sessions.closeSession(session)
                throw error
            }
            // Suspended or ended: this thread does not own the session any more when this returns.
            IncomingDriver(session: session, control: connection, sessions: sessions).runSession()
        case .data(let token, let stream):
            guard
                let session = sessions.claimStream(
                    token: token, stream: stream, from: connection.peer.name)
            else {
                return try refuseConnection(
                    connection,
                    with: MigrationRefusal(.notAllowed, text: "no session expects this stream"))
            }
            defer { session.streamEnded() }
            try connection.sendMessage(.welcome(version: version))
            session.receiveStream(number: stream, on: connection)
        case .question:
            try connection.sendMessage(.welcome(version: version))
            try OwnershipQueryServer(host: host, sessions: sessions).serveConnection(connection)
        }
        connection.closeGently()
    }

    private func refuseConnection(
        _ connection: any Link, with refusal: MigrationRefusal
    ) throws(LinkError) {
        try connection.sendMessage(.refused(refusal))
        connection.closeGently()
    }
}
