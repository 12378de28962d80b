// The destination's door: accepts peers, lets in those with the right certificate, runs their sessions.
//
// One thread accepts; each connection then has a thread of its own from the handshake on, so that a slow or
// silent client holds up nobody. A connection says first what it is for: a migration's control connection, one
// of its data streams (bound to the session by a token that is used once for each stream), or a question.

package import Host
import MigrationProtocol
import Model
package import PeerLink
import Synchronization

/// Serves the peer protocol on a listening socket, on threads of its own.
package final class PeerServer: Sendable {
    private let listener: Descriptor
    private let keys: PeerKeys
    private let host: any MigrationHost
    private let timing: PeerTiming
    private let sessions = SessionTable()
    private let connections = ThreadTable()
    private let isStopping = Atomic<Bool>(false)
    private let acceptor = Mutex<NamedThread?>(nil)

    /// Starts at once. `host` is kept until `stop`.
    package init(
        listener: Descriptor, keys: PeerKeys, host: any MigrationHost,
        timing: PeerTiming = PeerTiming()
    ) throws(SystemError) {
        self.listener = listener
        self.keys = keys
        self.host = host
        self.timing = timing
        let thread = try NamedThread(name: "ferry-accept") { [self] in acceptUntilStopped() }
        acceptor.withLock { $0 = thread }
    }

    /// Ends every session that has not been released yet, waits for those that have, and returns with
    /// all threads gone.
    package func stop() {
        isStopping.store(true, ordering: .releasing)
        let thread = acceptor.withLock { $0.take() }
        thread?.join()
        sessions.endAll()
        connections.wakeAll()
        connections.joinAll()
    }

    private func acceptUntilStopped() {
        while !isStopping.load(ordering: .acquiring) {
            connections.joinFinished()
            do {
                guard
                    let socket = try TCPSocket.accept(on: listener, within: Limits.acceptTick)
                else { continue }
                // Beyond the limit a client is closed without a word: words need a handshake, which costs.
                guard connections.count < Limits.connectionsMax else { continue }
                try connections.start { [self] wakeup in serve(socket, wakeup) }
            } catch {
                // One client's failure, or too few descriptors for a moment: the next may do better. The
                // pause keeps a lasting failure from spinning.
                _ = try? Wakeup().wait(until: .now + Limits.acceptTick)
            }
        }
    }

    private func serve(_ socket: Descriptor, _ wakeup: Wakeup) {
        do {
            let connection = try PeerConnection.accept(
                socket, keys: keys, silenceMax: Limits.helloTimeout, interruptedBy: wakeup)
            try serve(connection, wakeup)
        } catch {
            // The handshake failed: TLS has told the client why, and there is no session to tell.
        }
    }

    private func serve(_ connection: PeerConnection, _ wakeup: Wakeup) throws(LinkError) {
        do {
            try ExpectedPeer.anyAgent.check(connection.peer, in: keys.identity.cluster)
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
                    .versionMismatch, "no version of the peer protocol that both speak",
                    details: [
                        "here \(ours.lowerBound) to \(ours.upperBound)",
                        "there \(versions.lowerBound) to \(versions.upperBound)",
                    ]))
        }
        try serve(connection, purpose, version, wakeup)
    }

    private func serve(
        _ connection: PeerConnection, _ purpose: ConnectionPurpose, _ version: UInt16,
        _ wakeup: Wakeup
    ) throws(LinkError) {
        switch purpose {
        case .control:
            guard let session = sessions.open(host: host, timing: timing) else {
                return try refuse(
                    connection,
                    MigrationRefusal(.busy, "\(Limits.sessionsMax) migrations arrive already"))
            }
            defer { sessions.close(session) }
            try connection.send(.welcome(version: version))
            session.run(on: connection, undecided: sessions)
        case .data(let token, let stream):
            guard let session = sessions.claim(token, stream: stream, from: connection.peer.name)
            else {
                return try refuse(
                    connection, MigrationRefusal(.notAllowed, "no session waits for this stream"))
            }
            defer { session.streamEnded() }
            try connection.send(.welcome(version: version))
            session.runStream(stream, on: connection, wakeup)
        case .question:
            try connection.send(.welcome(version: version))
            try AnswerDesk(host: host, sessions: sessions).serve(connection)
        }
        connection.closeGently()
    }

    private func refuse(
        _ connection: PeerConnection, _ refusal: MigrationRefusal
    ) throws(LinkError) {
        try connection.send(.refused(refusal))
        connection.closeGently()
    }
}
