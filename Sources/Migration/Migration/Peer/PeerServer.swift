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
    private let connections: ThreadTable
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
        connections = ThreadTable(runtime: runtime)
        stopping = try runtime.makeFlag()
        let thread = try runtime.startThread(name: "ferry-accept", nice: 0) { [self] in
            acceptUntilStopped()
        }
        acceptor.withLock { $0 = thread }
    }

    /// Ends every session that has not been released yet, waits for those that have, and returns with
    /// all threads gone.
    package func stop() {
        isStopping.store(true, ordering: .releasing)
        stopping.set()
        let thread = acceptor.withLock { $0.take() }
        thread?.join()
        sessions.endAll()
        connections.wakeAll()
        connections.joinAll()
        let refusal = MigrationRefusal(.hostFailure, "the destination's agent is stopping")
        while let parked = sessions.takeAnyParked() { conclude(parked, .failed(refusal)) }
    }

    /// Ends what is kept of a VM whose connection was lost; false when nothing is. Returns with it gone.
    package func endParked(_ vm: VMID) -> Bool {
        guard let parked = sessions.takeParked(vm) else { return false }
        conclude(parked, .failed(MigrationRefusal(.cancelled, "it was deleted here")))
        return true
    }

    private func conclude(_ parked: IncomingSession, _ event: DestinationMachine.Event) {
        IncomingDriver(session: parked, control: nil, sessions: sessions).conclude(event)
    }

    /// On a thread of its own: writing and ending a process take time.
    private func endExpired() throws(SystemError) {
        guard sessions.hasExpired(at: runtime.now) else { return }
        try connections.start { [self] _ in
            while let parked = sessions.takeExpired(at: runtime.now) { conclude(parked, .expired) }
        }
    }

    private func acceptUntilStopped() {
        while !isStopping.load(ordering: .acquiring) {
            connections.joinFinished()
            do {
                try endExpired()
                let tick = runtime.now + Limits.acceptTick
                guard let arrival = try listener.accept(or: stopping, until: tick) else {
                    continue
                }
                // Beyond the limit a client is closed without a word: words need a handshake, which costs.
                guard connections.count < Limits.connectionsMax else { continue }
                try connections.start { [self] wakeup in serve(arrival, wakeup) }
            } catch {
                // One client's failure, or too few descriptors for a moment: the next may do better. The
                // pause keeps a lasting failure from spinning.
                _ = try? stopping.wait(until: runtime.now + Limits.acceptTick)
            }
        }
    }

    private func serve(_ arrival: any ArrivingLink, _ wakeup: any WakeFlag) {
        do {
            let connection = try arrival.open(
                silenceMax: Limits.helloTimeout, interruptedBy: wakeup)
            try serve(connection)
        } catch {
            // The handshake failed: TLS has told the client why, and there is no session to tell.
        }
    }

    private func serve(_ connection: any Link) throws(LinkError) {
        do {
            try ExpectedPeer.anyAgent.check(connection.peer, in: listener.cluster)
        } catch {
            return try refuse(connection, MigrationRefusal(.notAllowed, "\(error)"))
        }
        let first: PeerMessage
        do { first = try connection.receiveMessage() } catch {
            return try refuse(connection, error.words)
        }
        guard case .hello(let versions, let purpose) = first else {
            return try refuse(
                connection,
                MigrationRefusal(.protocolViolation, "\(first.name) before hello"))
        }
        let ours = MigrationProtocol.Limits.versionMin...MigrationProtocol.Limits.versionMax
        guard let version = agreedVersion(ours, versions) else {
            return try refuse(
                connection,
                MigrationRefusal(
                    .versionMismatch,
                    "they share no version of the peer protocol: the destination speaks \(ours.lowerBound) to \(ours.upperBound), the source \(versions.lowerBound) to \(versions.upperBound)",
                    details: [
                        "here \(ours.lowerBound) to \(ours.upperBound)",
                        "there \(versions.lowerBound) to \(versions.upperBound)",
                    ]))
        }
        try serve(connection, purpose, version)
    }

    private func serve(
        _ connection: any Link, _ purpose: ConnectionPurpose, _ version: UInt16
    ) throws(LinkError) {
        switch purpose {
        case .control:
            guard let session = sessions.open(host: host, timing: timing, runtime: runtime)
            else {
                return try refuse(
                    connection,
                    MigrationRefusal(.busy, "\(Limits.sessionsMax) migrations arrive already"))
            }
            do { try connection.send(.welcome(version: version)) } catch {
                sessions.close(session)
                throw error
            }
            // Parked or ended, it is not this thread's any more when this returns.
            IncomingDriver(session: session, control: connection, sessions: sessions).run()
        case .data(let token, let stream):
            guard let session = sessions.claim(token, stream: stream, from: connection.peer.name)
            else {
                return try refuse(
                    connection, MigrationRefusal(.notAllowed, "no session waits for this stream"))
            }
            defer { session.streamEnded() }
            try connection.send(.welcome(version: version))
            session.runStream(stream, on: connection)
        case .question:
            try connection.send(.welcome(version: version))
            try AnswerDesk(host: host, sessions: sessions).serve(connection)
        }
        connection.closeGently()
    }

    private func refuse(
        _ connection: any Link, _ refusal: MigrationRefusal
    ) throws(LinkError) {
        try connection.send(.refused(refusal))
        connection.closeGently()
    }
}
