// One migration at its destination: its control connection's thread drives the machine, its streams' threads
// fill the memory.

import Host
import MigrationProtocol
import Model
import PageCodec
import PeerLink
import Synchronization

/// Why a stream ended before its session.
enum StreamFailure: Sendable {
    case lost(MigrationRefusal)
    /// It carried what cannot be: nothing of the session is to be trusted.
    case damaged(MigrationRefusal)
}

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
        var token: [UInt8] = []
        var unclaimed: Set<Int> = []
        var activeStreams = 0
        /// For each stream that ended a round: which one, and its part of the root.
        var ended: [Int: (round: Int, root: MemoryRoot)] = [:]
        var streamFailure: StreamFailure?
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
        news = try runtime.makeFlag()
        over = try runtime.makeFlag()
        undisturbed = try runtime.makeFlag()
    }

    /// The source has connected anew: what this connection brings is no longer waited for.
    func supersede() {
        shared.withLock { $0.isSuperseded = true }
        news.set()
    }

    /// A parked session is taken over by a new connection.
    /// - Parameter offer: the one that goes on with it.
    func takeOver(_ offer: MigrationOffer) {
        over.clear()
        news.clear()
        shared.withLock {
            var offer = offer
            offer.hashSeed = $0.offer?.hashSeed ?? offer.hashSeed
            $0.offer = offer
            $0.streamFailure = nil
            $0.ended = [:]
            $0.isEnding = false
            $0.isSuperseded = false
        }
    }

    /// True when this session waits for this stream; it does so once.
    func claim(_ token: [UInt8], stream: Int, from peer: HostName) -> Bool {
        shared.withLock {
            guard !$0.token.isEmpty, isEqualInConstantTime($0.token, token), $0.source == peer,
                !$0.isEnding, $0.unclaimed.remove(stream) != nil
            else { return false }
            $0.activeStreams += 1
            return true
        }
    }

    func streamEnded() {
        shared.withLock { $0.activeStreams -= 1 }
        news.set()
    }

    /// Asks the control thread to end, unless GO may have come.
    func endUnlessCommitted() {
        shared.withLock {
            if !$0.loop.machine.isCommitted { $0.isEnding = true }
        }
        news.set()
    }

    /// Receives one stream's frames until the session is over.
    func runStream(_ stream: Int, on connection: any Link) {
        let parts = shared.withLock { ($0.guest, $0.table, $0.offer) }
        guard let guest = parts.0, let table = parts.1, let offer = parts.2 else { return }
        // The decoder holds `guest`, which owns the mapping that it writes to.
        let decoder = unsafe ChunkDecoder(
            memory: guest.memory.base, owner: guest, table: table, seed: offer.hashSeed,
            stream: stream, streams: offer.streams
        ) { [file = guest.memoryFile] bytes, offset in
            // A file that takes no writes (huge pages) is filled through its mapping.
            (try? file.write(bytes, at: offset)) != nil
        }
        runtime.giveWay(nice: Limits.streamNice)
        connection.silenceMax = Limits.streamSilenceMax
        connection.setFlag(over)
        do {
            while true { try receiveFrame(stream, connection, decoder) }
        } catch let error as PageFrameError {
            fail(.damaged(MigrationRefusal(.protocolViolation, "stream \(stream): \(error)")))
        } catch LinkError.interrupted {
            // The session is over.
        } catch let error as LinkError {
            fail(.lost(MigrationRefusal(.timedOut, "stream \(stream) was lost: \(error)")))
        } catch {
            unexpectedError(error)
        }
    }

    private func receiveFrame(
        _ stream: Int, _ connection: any Link, _ decoder: ChunkDecoder
    ) throws {
        try decoder.receiveHeader { (span) throws(LinkError) in
            try connection.receive(into: &span)
        }
        let header = try decoder.acceptHeader()
        try decoder.receiveBody(of: header) { (span) throws(LinkError) in
            try connection.receive(into: &span)
        }
        frames.add(1, ordering: .relaxed)
        guard case .endOfRound(let round) = try decoder.apply(header) else { return }
        shared.withLock { $0.ended[stream] = (round, decoder.root) }
        news.set()
    }

    /// Damage counts for more than a loss, and the first for more than the next.
    private func fail(_ failure: StreamFailure) {
        shared.withLock {
            switch ($0.streamFailure, failure) {
            case (nil, _), (.lost, .damaged): $0.streamFailure = failure
            case (.lost, .lost), (.damaged, _): break
            }
        }
        news.set()
    }
}

/// Takes the same time wherever the first difference is.
private func isEqualInConstantTime(_ left: [UInt8], _ right: [UInt8]) -> Bool {
    guard left.count == right.count else { return false }
    var difference: UInt8 = 0
    for index in left.indices { difference |= left[index] ^ right[index] }
    return difference == 0
}
