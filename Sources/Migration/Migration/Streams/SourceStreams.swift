// All data streams of a source; the control thread drives them round by round.
//
// The rule of pre-copy: clear the log, then open the chunk, then copy. A later write is logged again.
//
// The guest writes to its memory while it is copied, so a copy of a page may contain old and new bytes. That is
// harmless if the page is copied again. The dirty log determines that: it contains every page that was written since
// its entry was cleared. For each page, the steps are, in this order:
//
// 1. The log is fetched. The bitmap of this round then contains the page; the log still does.
// 2. The page's entry in the log is cleared, a group of chunks at a time (`clearDirtyLog`).
// 3. Its chunk is opened: the stream that owns the chunk may read it. The store to `openChunks` releases and the
//    stream's load acquires, so no read of the page moves before the clearing.
// 4. The stream reads the page, hashes it, and sends it unless the destination has these bytes.
//
// A write before step 2 is in memory when step 4 reads. A write after step 2 is logged, and a later round, at the
// latest the last one, copies the page again, whether step 4 read none, half or all of the write. If the order were
// reversed, a write between the copy and the clearing would be lost: the destination would run with an old page.
//
// Clearing runs only slightly ahead of sending (`groupsAhead`). In the time between clearing and copying, a page that
// is written often is logged again although its copy would contain the write. Clearing is done in groups because each
// call has a cost for the guest: its pages are write-protected, and its next write to each of them faults.
//
// The last round needs no clearing: the guest is paused, the bitmap was fetched after the pause, and every chunk is
// open from the start. When a connection breaks, some pages of the round have been cleared and not copied, or copied
// and not received; `ReconnectState` adds them to the next round.

import Host
import MigrationProtocol
import Model
import PageCodec
import PeerLink
import Synchronization

/// Why a round did not complete.
enum RoundError: Error, Sendable {
    case link(LinkError)
    case guest(GuestError)
    /// The control connection has a message, or the migration was cancelled.
    case disturbed
}

/// The hash tables of the streams.
struct SourcePages: Sendable {
    let bits: DirtyBits
    /// What the destination has after it has received everything that was sent.
    let table: PageHashTable
    let seed: UInt64
    /// What was sent last, also on lost connections; nil on the first connection.
    let sent: PageHashTable?
}

/// The streams of one connection. For the control thread.
final class SourceStreams {
    let board: RoundCoordinator
    let pages: SourcePages
    private let guest: any SourceGuest
    private var bits: DirtyBits { pages.bits }
    private var streams: [SourceStream] = []
    private let chunkCount: Int
    /// Before the first round.
    private(set) var isFresh = true

    init(
        guest: any SourceGuest, pages: SourcePages, compression: Compression,
        connections: [any Link], runtime: any MigrationRuntime, news: any WakeFlag
    ) throws(SystemError) {
        self.guest = guest
        self.pages = pages
        board = RoundCoordinator(streams: connections.count, news: news)
        chunkCount =
            (guest.layout.pageCount + PageCodec.Limits.chunkPages - 1)
            / PageCodec.Limits.chunkPages
        for (index, connection) in connections.enumerated() {
            do {
                streams.append(
                    try SourceStream(
                        index: index, streamCount: connections.count, guest: guest, pages: pages,
                        compression: compression, connection: connection, board: board,
                        runtime: runtime))
            } catch {
                stopStreams()
                throw error
            }
        }
    }

    /// Sends the pages that are dirty in the fetched bits while the guest runs. `onTick` is called several times per
    /// second, and throws `disturbed` if the round must not continue.
    func sendRound(
        number round: Int, onTick: () throws(RoundError) -> Void
    ) throws(RoundError) {
        board.beginRound()
        startRound(number: round, isLast: false)
        let groupPages = Limits.groupChunks * PageCodec.Limits.chunkPages
        var opened = 0
        for first in stride(from: 0, to: chunkCount, by: Limits.groupChunks) {
            let group = first * PageCodec.Limits.chunkPages
            let pages = group..<min(group + groupPages, guest.layout.pageCount)
            let dirty = bits.dirtyPageCount(in: pages)
            if dirty > 0 {
                while !board.hasHandledPages(count: opened - groupPages * (Limits.groupsAhead - 1))
                {
                    try onTick()
                }
                do { try guest.clearDirtyLog(pages: pages) } catch { throw .guest(error) }
                opened += dirty
            }
            openChunks(upTo: first + Limits.groupChunks, wakesStreams: dirty > 0)
        }
        openChunks(upTo: .max, wakesStreams: true)
        try finishRound(onTick: onTick)
    }

    /// Starts sending the last pages: the guest is paused, so no clearing is needed.
    func beginLastRound(number round: Int, silenceMax: Duration) {
        for stream in streams { stream.limitSilence(to: silenceMax) }
        board.beginRound()
        board.openChunks.store(.max, ordering: .releasing)
        startRound(number: round, isLast: true)
    }

    /// Waits until every stream has sent the whole round.
    func finishRound(onTick: () throws(RoundError) -> Void) throws(RoundError) {
        while !board.isRoundDone {
            if let failure = board.failure { throw .link(failure) }
            try onTick()
        }
        if let failure = board.failure { throw .link(failure) }
    }

    var digest: MemoryDigest {
        board.reports.reduce(MemoryDigest.empty) { $0 + $1.digest }
    }

    var counts: EncoderCounts { board.reports.reduce(EncoderCounts()) { $0 + $1.counts } }

    /// The encoding that most streams measured as the fastest.
    var encoding: BlockEncoding {
        let uses = Dictionary(grouping: board.reports, by: \.encoding).mapValues(\.count)
        return uses.max { $0.value < $1.value }?.key ?? .raw
    }

    /// Ends the threads and the connections. The connections' wakeup must be set if they may be waiting.
    func stopStreams() {
        board.isStopped.store(true, ordering: .releasing)
        for stream in streams { stream.wakeThread() }
        for stream in streams { stream.joinThread() }
        streams = []
    }

    private func startRound(number round: Int, isLast: Bool) {
        let order = RoundOrder(round: round, isFirst: isFresh, isLast: isLast)
        isFresh = false
        for stream in streams { stream.beginRound(with: order) }
    }

    private func openChunks(upTo chunk: Int, wakesStreams wake: Bool) {
        board.openChunks.store(chunk, ordering: .releasing)
        if wake { for stream in streams { stream.wakeThread() } }
    }
}
