// One data stream of a source: a thread that turns its chunks into frames and sends them.

import Host
import Model
import PageCodec
import PeerLink
import Synchronization

/// A stream and its thread. It receives one order at a time, after the previous round is done.
final class SourceStream: Sendable {
    private let index: Int
    private let streams: Int
    private let chunkCount: Int
    private let board: RoundCoordinator
    private let connection: any Link
    private let runtime: any MigrationRuntime
    private let order = Mutex<RoundOrder?>(nil)
    private let wakeup: any WakeFlag
    private let thread = Mutex<(any RunningThread)?>(nil)

    init(
        index: Int, streamCount streams: Int, guest: any SourceGuest, pages: SourcePages,
        compression: Compression, connection: any Link, board: RoundCoordinator,
        runtime: any MigrationRuntime
    ) throws(SystemError) {
        self.index = index
        self.streams = streams
        self.board = board
        self.connection = connection
        self.runtime = runtime
        chunkCount =
            (guest.layout.pageCount + PageCodec.Limits.chunkPages - 1) / PageCodec.Limits.chunkPages
        wakeup = try runtime.makeWakeFlag()
        let thread = try runtime.startThread(
            name: "ferry-send-\(index)", nice: Limits.streamNice
        ) { [self] in
            sendRounds(of: guest, pages: pages, compressedBy: compression)
        }
        self.thread.withLock { $0 = thread }
    }

    func beginRound(with order: RoundOrder) {
        self.order.withLock { $0 = order }
        wakeup.setFlag()
    }

    /// More chunks are open, or the stream must stop.
    func wakeThread() { wakeup.setFlag() }

    /// Waits for the thread's end, which `board.isStopped` and `wakeThread` cause.
    func joinThread() {
        let thread = thread.withLock { $0.take() }
        thread?.joinThread()
        connection.close()
    }

    /// From here on the peer may be silent for this long. Called between rounds.
    func limitSilence(to limit: Duration) { connection.silenceMax = limit }

    private func sendRounds(
        of guest: any SourceGuest, pages: SourcePages, compressedBy compression: Compression
    ) {
        // The encoder retains `guest`, which owns both mappings that the encoder reads.
        let encoder = unsafe ChunkEncoder(
            memory: guest.memory.base, dirtyBits: pages.bits, owner: guest, table: pages.table,
            seed: pages.seed,
            digest: pages.table.partialDigest(ofStream: index, streamCount: streams),
            sent: pages.sent)
        var chooser = CompressionChooser(compression)
        func makeReport() -> StreamReport {
            StreamReport(counts: encoder.counts, digest: encoder.digest, encoding: chooser.encoding)
        }
        do {
            while let order = try nextOrder() {
                try sendRound(order, guest: guest, encoder: encoder, chooser: &chooser)
                board.recordRoundEnd(ofStream: index, report: makeReport())
            }
        } catch {
            board.recordFailure(ofStream: index, report: makeReport(), error: error)
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
        do { _ = try wakeup.waitUntilSet(before: runtime.now + Limits.aliveInterval) } catch {
            throw .system(error)
        }
        wakeup.clearFlag()
    }

    private func sendRound(
        _ order: RoundOrder, guest: any SourceGuest, encoder: ChunkEncoder,
        chooser: inout CompressionChooser
    ) throws(LinkError) {
        var holes: HoleFinder? =
            order.isFirst
            ? HoleFinder(guest.memoryFile) : nil
        if order.isFirst { try connection.setCorking(enabled: true) }
        var before = encoder.counts
        var start = runtime.now
        for chunk in stride(from: index, to: chunkCount, by: streams) {
            while chunk >= board.openChunks.load(ordering: .acquiring) {
                if board.isStopped.load(ordering: .acquiring) { throw .interrupted }
                try waitForWakeup()
                start = runtime.now
            }
            if board.isStopped.load(ordering: .acquiring) { throw .interrupted }
            let present = ChunkPages(chunk: chunk, pageCount: guest.layout.pageCount, holes: &holes)
            try encoder.encodeChunk(number: chunk, by: chooser.encoding, present: present) {
                (bytes) throws(LinkError) in try transmitBytes(bytes)
            }
            let after = encoder.counts
            guard after.pages != before.pages else { continue }
            board.recordHandledPages(count: Int(after.pages - before.pages))
            let now = runtime.now
            chooser.recordCost(
                contentPages: Int(after.contentPages - before.contentPages),
                nanoseconds: Double((now - start).wholeNanoseconds))
            before = after
            start = now
        }
        try encoder.encodeRoundEnd(number: order.round) { (bytes) throws(LinkError) in
            try transmitBytes(bytes)
        }
        if order.isFirst { try connection.setCorking(enabled: false) }
        // A round is over when its bytes have been sent: data left in the socket would delay the last pages.
        if !order.isLast { try connection.waitForDelivery() }
    }

    private func transmitBytes(_ bytes: RawSpan) throws(LinkError) {
        try connection.sendBytes(bytes)
        board.wireBytes.add(bytes.byteCount, ordering: .relaxed)
    }
}
