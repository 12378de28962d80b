// All data streams of a source, driven round by round by the control thread.

import Host
import MigrationProtocol
import Model
import PageCodec
import PeerLink
import Synchronization

/// Why a round did not come to its end.
enum RoundError: Error, Sendable {
    case link(LinkError)
    case guest(GuestError)
    /// The control connection has something to say, or the migration was cancelled.
    case disturbed
}

/// The streams of one migration. For the control thread.
final class SourceStreams {
    let board: RoundBoard
    private let guest: any SourceGuest
    private let bits: DirtyBits
    private var streams: [SourceStream] = []
    private let chunkCount: Int

    init(
        guest: any SourceGuest, seed: UInt64, compression: Compression,
        connections: [any Link], runtime: any MigrationRuntime, news: any WakeFlag
    ) throws(SystemError) {
        self.guest = guest
        bits = unsafe DirtyBits(base: guest.dirtyBits.base, pageCount: guest.layout.pageCount)
        board = RoundBoard(streams: connections.count, news: news)
        let pages = guest.layout.pageCount
        chunkCount =
            (pages + PageCodec.Limits.chunkPages - 1) / PageCodec.Limits.chunkPages
        let table = PageHashTable(pageCount: pages)
        for (index, connection) in connections.enumerated() {
            do {
                streams.append(
                    try SourceStream(
                        index: index, of: connections.count, guest: guest, table: table, seed: seed,
                        compression: compression, connection: connection, board: board,
                        runtime: runtime))
            } catch {
                stop()
                throw error
            }
        }
    }

    /// Sends what is dirty in the fetched bits while the guest runs. `onTick` is called several times a
    /// second, and throws `disturbed` when the round must not go on.
    func sendRound(
        _ round: Int, onTick: () throws(RoundError) -> Void
    ) throws(RoundError) {
        begin(RoundOrder(round: round, isFirst: round == 1, isLast: false))
        let groupPages = Limits.groupChunks * PageCodec.Limits.chunkPages
        var opened = 0
        for first in stride(from: 0, to: chunkCount, by: Limits.groupChunks) {
            let group = first * PageCodec.Limits.chunkPages
            let pages = group..<min(group + groupPages, guest.layout.pageCount)
            let dirty = bits.count(in: pages)
            if dirty > 0 {
                while !board.hasHandled(opened - groupPages * (Limits.groupsAhead - 1)) {
                    try onTick()
                }
                do { try guest.clearDirtyLog(pages: pages) } catch { throw .guest(error) }
                opened += dirty
            }
            open(upTo: first + Limits.groupChunks, wake: dirty > 0)
        }
        open(upTo: .max, wake: true)
        try finish(onTick)
    }

    /// Starts sending the last pages: the guest stands still, nothing needs clearing.
    func beginLastRound(_ round: Int, silenceMax: Duration) {
        for stream in streams { stream.setSilenceMax(silenceMax) }
        board.beginRound()
        board.openChunks.store(.max, ordering: .releasing)
        order(RoundOrder(round: round, isFirst: round == 1, isLast: true))
    }

    /// Waits until every stream has sent the round to its end.
    func finish(_ onTick: () throws(RoundError) -> Void) throws(RoundError) {
        while !board.isRoundDone {
            if let failure = board.failure { throw .link(failure) }
            try onTick()
        }
        if let failure = board.failure { throw .link(failure) }
    }

    var root: MemoryRoot {
        board.reports.reduce(MemoryRoot.empty) { $0 + $1.root }
    }

    var counts: EncoderCounts { board.reports.reduce(EncoderCounts()) { $0 + $1.counts } }

    /// What most streams found quickest.
    var encoding: BlockEncoding {
        let uses = Dictionary(grouping: board.reports, by: \.encoding).mapValues(\.count)
        return uses.max { $0.value < $1.value }?.key ?? .raw
    }

    /// Ends the threads and the connections. The connections' wakeup must be set when they may be waiting.
    func stop() {
        board.isStopped.store(true, ordering: .releasing)
        for stream in streams { stream.wake() }
        for stream in streams { stream.join() }
        streams = []
    }

    private func begin(_ order: RoundOrder) {
        board.beginRound()
        self.order(order)
    }

    private func order(_ order: RoundOrder) {
        for stream in streams { stream.begin(order) }
    }

    private func open(upTo chunk: Int, wake: Bool) {
        board.openChunks.store(chunk, ordering: .releasing)
        if wake { for stream in streams { stream.wake() } }
    }
}
