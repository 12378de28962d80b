// One data stream of a source: a thread that turns its chunks into frames and sends them.

import Host
import Model
import PageCodec
import PeerLink
import Synchronization

/// A stream and its thread. Orders come one at a time, after the previous round is done.
final class SourceStream: Sendable {
    private let index: Int
    private let streams: Int
    private let chunkCount: Int
    private let board: RoundBoard
    private let connection: any Link
    private let runtime: any MigrationRuntime
    private let order = Mutex<RoundOrder?>(nil)
    private let wakeup: any WakeFlag
    private let thread = Mutex<(any RunningThread)?>(nil)

    init(
        index: Int, of streams: Int, guest: any SourceGuest, pages: SourcePages,
        compression: Compression, connection: any Link, board: RoundBoard,
        runtime: any MigrationRuntime
    ) throws(SystemError) {
        self.index = index
        self.streams = streams
        self.board = board
        self.connection = connection
        self.runtime = runtime
        chunkCount =
            (guest.layout.pageCount + PageCodec.Limits.chunkPages - 1) / PageCodec.Limits.chunkPages
        wakeup = try runtime.makeFlag()
        let thread = try runtime.startThread(
            name: "ferry-send-\(index)", nice: Limits.streamNice
        ) { [self] in
            run(guest, pages, compression)
        }
        self.thread.withLock { $0 = thread }
    }

    func begin(_ order: RoundOrder) {
        self.order.withLock { $0 = order }
        wakeup.set()
    }

    /// More chunks are open, or it is time to stop.
    func wake() { wakeup.set() }

    /// Waits for the thread's end, which `board.isStopped` and `wake` bring about.
    func join() {
        let thread = thread.withLock { $0.take() }
        thread?.join()
        connection.close()
    }

    /// From here on the peer may be silent for this long. Called between rounds.
    func setSilenceMax(_ limit: Duration) { connection.silenceMax = limit }

    private func run(
        _ guest: any SourceGuest, _ pages: SourcePages, _ compression: Compression
    ) {
        // The encoder holds `guest`, which owns both mappings that it reads.
        let encoder = unsafe ChunkEncoder(
            memory: guest.memory.base, dirtyBits: pages.bits, owner: guest, table: pages.table,
            seed: pages.seed, digest: pages.table.digest(ofStream: index, of: streams),
            sent: pages.sent)
        var chooser = CompressionChooser(compression)
        func report() -> StreamReport {
            StreamReport(counts: encoder.counts, digest: encoder.digest, encoding: chooser.encoding)
        }
        do {
            while let order = try nextOrder() {
                try send(order, guest, encoder, &chooser)
                board.streamEndedRound(index, report())
            }
        } catch {
            board.streamFailed(index, report(), error)
        }
    }

    private func nextOrder() throws(LinkError) -> RoundOrder? {
        while true {
            if board.isStopped.load(ordering: .acquiring) { return nil }
            if let order = order.withLock({ $0.take() }) { return order }
            try waitForWakeup()
        }
    }

    private func waitForWakeup() throws(LinkError) {
        do { _ = try wakeup.wait(until: runtime.now + Limits.aliveInterval) } catch {
            throw .system(error)
        }
        wakeup.clear()
    }

    private func send(
        _ order: RoundOrder, _ guest: any SourceGuest, _ encoder: ChunkEncoder,
        _ chooser: inout CompressionChooser
    ) throws(LinkError) {
        var holes: HoleFinder? =
            order.isFirst
            ? HoleFinder(guest.memoryFile) : nil
        if order.isFirst { try connection.setCorked(true) }
        var before = encoder.counts
        var start = runtime.now
        for chunk in stride(from: index, to: chunkCount, by: streams) {
            while chunk >= board.openChunks.load(ordering: .acquiring) {
                if board.isStopped.load(ordering: .acquiring) { throw .interrupted }
                try waitForWakeup()
                start = runtime.now
            }
            if board.isStopped.load(ordering: .acquiring) { throw .interrupted }
            let present = ChunkPages(of: chunk, pageCount: guest.layout.pageCount, &holes)
            try encoder.encode(chunk: chunk, by: chooser.encoding, present: present) {
                (bytes) throws(LinkError) in try transmit(bytes)
            }
            let after = encoder.counts
            guard after.pages != before.pages else { continue }
            board.handled(Int(after.pages - before.pages))
            let now = runtime.now
            chooser.record(
                contentPages: Int(after.contentPages - before.contentPages),
                nanoseconds: Double((now - start).wholeNanoseconds))
            before = after
            start = now
        }
        try encoder.endRound(order.round) { (bytes) throws(LinkError) in try transmit(bytes) }
        if order.isFirst { try connection.setCorked(false) }
        // A round is over when its bytes have left: what waits in the socket would be in the last pages' way.
        if !order.isLast { try connection.drain() }
    }

    private func transmit(_ bytes: RawSpan) throws(LinkError) {
        try connection.send(bytes)
        board.wireBytes.add(bytes.byteCount, ordering: .relaxed)
    }
}
