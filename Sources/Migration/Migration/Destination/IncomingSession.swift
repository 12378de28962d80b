// One migration at its destination: its control connection's thread drives the machine, its streams' threads
// fill the memory.

import Host
import MigrationProtocol
import Model
import PageCodec
import PeerLink
import Synchronization

/// An incoming migration. `run` is for the control connection's thread, `runStream` for the streams'. When its
/// connection is lost it may be parked: without threads, until another connection takes it over.
final class IncomingSession: Sendable {
    /// What the streams and other threads see.
    struct Shared {
        var loop = DestinationLoop(DestinationMachine(parks: true))
        var guest: (any DestinationGuest)?
        var table: PageHashTable?
        var offer: MigrationOffer?
        var source: HostName?
        var streams = IncomingStreams()
        var isEnding = false
        /// The source has connected anew: this connection is lost, noticed or not.
        var isSuperseded = false
    }

    let host: any MigrationHost
    let timing: PeerTiming
    let runtime: any MigrationRuntime
    /// Set when a stream has something to say to the control thread.
    let news: any WakeFlag
    /// Set when the session is over: ends the streams' waits.
    let over: any WakeFlag
    /// Never set: what the control connection's waits end with is `news`, or the time.
    let undisturbed: any WakeFlag
    let shared = Mutex(Shared())
    /// That streams have received: shows whether any is still at it.
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

    /// The source has connected anew: what this connection brings is no longer waited for.
    func supersede() {
        shared.withLock { $0.isSuperseded = true }
        news.setFlag()
    }

    /// A parked session is taken over by a new connection.
    /// - Parameter offer: the one that goes on with it.
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

    /// True when this session waits for this stream; it does so once.
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

    /// Asks the control thread to end, unless GO may have come.
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
        // The decoder holds `guest`, which owns the mapping that it writes to.
        let decoder = unsafe ChunkDecoder(
            memory: guest.memory.base, owner: guest, table: table, seed: offer.hashSeed,
            stream: stream, streams: offer.streams
        ) { [file = guest.memoryFile] bytes, offset in
            // A file that takes no writes (huge pages) is filled through its mapping.
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
