// One migration at its destination: the thread of its control connection drives the machine, and the threads of its
// streams write the memory.

import Host
import MigrationProtocol
import Model
import PageCodec
import PeerLink
import Synchronization

/// An incoming migration. The control connection's thread runs the driver, the streams' threads run `receiveStream`.
/// When the connection is lost the session may be suspended: it then has no threads until another connection resumes it.
final class IncomingSession: Sendable {
    /// The state that streams and other threads share.
    struct Shared {
        var loop = DestinationLoop(DestinationMachine(parks: true))
        var guest: (any DestinationGuest)?
        var table: PageHashTable?
        var offer: MigrationOffer?
        var source: HostName?
        var streams = IncomingStreams()
        var isEnding = false
        /// The source opened a new connection: this one is lost, whether or not that was noticed.
        var isSuperseded = false
    }

    let host: any MigrationHost
    let timing: PeerTiming
    let runtime: any MigrationRuntime
    /// Set when a stream has an event for the control thread.
    let news: any WakeFlag
    /// Set when the session is over: ends the streams' waits.
    let over: any WakeFlag
    /// Never set: waits of the control connection end with `news` or with the time limit.
    let undisturbed: any WakeFlag
    let shared = Mutex(Shared())
    /// A counter of received data: shows whether a stream is still receiving.
    let frames = Atomic<Int>(0)

    init(
        host: any MigrationHost, timing: PeerTiming, runtime: any MigrationRuntime
    ) throws(SystemError) {
        self.host = host
        self.timing = timing
        self.runtime = runtime
        news = try runtime.makeWakeFlag()
        over = try runtime.makeWakeFlag()
        undisturbed = try runtime.makeWakeFlag()
    }

    /// The source opened a new connection: the session no longer waits for this one.
    func supersede() {
        shared.withLock { $0.isSuperseded = true }
        news.setFlag()
    }

    /// A new connection resumes a suspended session.
    /// - Parameter offer: the offer that continues it.
    func continueSession(with offer: MigrationOffer) {
        over.clearFlag()
        news.clearFlag()
        shared.withLock {
            var offer = offer
            offer.hashSeed = $0.offer?.hashSeed ?? offer.hashSeed
            $0.offer = offer
            $0.streams.forgetRounds()
            $0.isEnding = false
            $0.isSuperseded = false
        }
    }

    /// True if this session expects this stream; it does so once per stream.
    func claimStream(token: [UInt8], stream: Int, from peer: HostName) -> Bool {
        shared.withLock {
            guard $0.streams.isTokenValid(token), $0.source == peer, !$0.isEnding else {
                return false
            }
            return $0.streams.claimStream(number: stream)
        }
    }

    func streamEnded() {
        shared.withLock { $0.streams.releaseStream() }
        news.setFlag()
    }

    /// Tells the control thread to end, unless GO may have arrived.
    func endUnlessCommitted() {
        shared.withLock {
            if !$0.loop.machine.isCommitted { $0.isEnding = true }
        }
        news.setFlag()
    }

    /// Receives one stream's frames until the session is over.
    func receiveStream(number stream: Int, on connection: any Link) {
        let parts = shared.withLock { ($0.guest, $0.table, $0.offer) }
        guard let guest = parts.0, let table = parts.1, let offer = parts.2 else { return }
        // The decoder retains `guest`, which owns the mapping that the decoder writes to.
        let decoder = unsafe ChunkDecoder(
            memory: guest.memory.base, owner: guest, table: table, seed: offer.hashSeed,
            stream: stream, streams: offer.streams
        ) { [file = guest.memoryFile] bytes, offset in
            // A file that does not support writes (huge pages) is filled through its mapping.
            (try? file.writeAllBytes(bytes, at: offset)) != nil
        }
        runtime.lowerPriority(nice: Limits.streamNice)
        connection.silenceMax = Limits.streamSilenceMax
        connection.setInterruptFlag(over)
        do {
            while true { try receiveFrame(ofStream: stream, from: connection, decoder: decoder) }
        } catch let error as PageFrameError {
            recordFailure(
                .damaged(MigrationRefusal(.protocolViolation, text: "stream \(stream): \(error)")))
        } catch LinkError.interrupted {
            // The session is over.
        } catch let error as LinkError {
            recordFailure(
                .lost(MigrationRefusal(.timedOut, text: "stream \(stream) was lost: \(error)")))
        } catch {
            trapOnUnexpectedError(error)
        }
    }

    private func receiveFrame(
        ofStream stream: Int, from connection: any Link, decoder: ChunkDecoder
    ) throws {
        try decoder.receiveHeader { (span) throws(LinkError) in
            try connection.receiveBytes(into: &span)
        }
        let header = try decoder.acceptHeader()
        try decoder.receiveBody(of: header) { (span) throws(LinkError) in
            try connection.receiveBytes(into: &span)
        }
        frames.add(1, ordering: .relaxed)
        guard case .endOfRound(let round) = try decoder.applyFrame(header: header) else { return }
        shared.withLock {
            $0.streams.recordRoundEnd(round: round, stream: stream, digest: decoder.digest)
        }
        news.setFlag()
    }

    private func recordFailure(_ failure: StreamFailure) {
        shared.withLock { $0.streams.recordFailure(failure) }
        news.setFlag()
    }
}
