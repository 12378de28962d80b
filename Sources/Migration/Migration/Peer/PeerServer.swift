// The destination's door: accepts peers, lets in those with the right certificate, runs their sessions.
//
// One thread accepts; each connection then has a thread of its own from the handshake on, so that a slow or
// silent client holds up nobody. A connection says first what it is for: a migration's control connection, one
// of its data streams (bound to the session by a token that is used once for each stream), or a question.

package import Host
import MigrationProtocol
package import Model
package import PeerLink
import Synchronization

/// Serves the peer protocol, on threads of its own.
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

    /// Starts at once. `host` is kept until `stop`.
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

    /// Ends every session that has not been released yet, waits for those that have, and returns with
    /// all threads gone.
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

    /// Ends what is kept of a VM whose connection was lost; false when nothing is. Returns with it gone.
    package func endSuspendedSession(of vm: VMID) -> Bool {
        guard let parked = sessions.removeSuspendedSession(of: vm) else { return false }
        endSuspendedSession(
            parked, with: .failed(MigrationRefusal(.cancelled, text: "it was deleted here")))
        return true
    }

    private func endSuspendedSession(
        _ parked: IncomingSession, with event: DestinationMachine.Event
    ) {
        IncomingDriver(session: parked, control: nil, sessions: sessions).endSuspendedSession(
            with: event)
    }

    /// On a thread of its own: writing and ending a process take time.
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
                // Beyond the limit a client is closed without a word: words need a handshake, which costs.
                guard connections.count < Limits.connectionsMax else { continue }
                try connections.startThread { [self] wakeup in serveArrival(arrival, wakeup: wakeup)
                }
            } catch {
                // One client's failure, or too few descriptors for a moment: the next may do better. The
                // pause keeps a lasting failure from spinning.
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
            // The handshake failed: TLS has told the client why, and there is no session to tell.
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
                        "they share no version of the peer protocol: the destination speaks \(ours.lowerBound) to \(ours.upperBound), the source \(versions.lowerBound) to \(versions.upperBound)",
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
                        .busy, text: "\(Limits.sessionsMax) migrations arrive already"))
            }
            do { try connection.sendMessage(.welcome(version: version)) } catch {
                sessions.closeSession(session)
                throw error
            }
            // Parked or ended, it is not this thread's any more when this returns.
            IncomingDriver(session: session, control: connection, sessions: sessions).runSession()
        case .data(let token, let stream):
            guard
                let session = sessions.claimStream(
                    token: token, stream: stream, from: connection.peer.name)
            else {
                return try refuseConnection(
                    connection,
                    with: MigrationRefusal(.notAllowed, text: "no session waits for this stream"))
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
