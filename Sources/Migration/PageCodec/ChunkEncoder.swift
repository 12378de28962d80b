// Encodes the dirty pages of a chunk into frames: copies each page, examines the copy, and sends what the peer lacks.
//
// The guest writes while this reads. Each page is copied once, and only the copy is tested, hashed and compressed; a
// page that changes afterwards is in the dirty log again. Raw pages are copied directly into the output: a page costs
// one copy, one hash, and no allocation.

package import Model

/// The totals of an encoder.
package struct EncoderCounts: Hashable, Sendable {
    /// Pages examined.
    package var pages: UInt64 = 0
    package var zeroPages: UInt64 = 0
    /// Pages whose hash equals the one that was sent last: not sent.
    package var unchangedPages: UInt64 = 0
    /// Pages whose bytes were sent before, unchanged, on connections that broke.
    package var repeatedPages: UInt64 = 0
    package var wireBytes: UInt64 = 0

    package init() {}

    /// Pages whose bytes were sent.
    package var contentPages: UInt64 { pages - zeroPages - unchangedPages }

    package static func + (left: EncoderCounts, right: EncoderCounts) -> EncoderCounts {
        var sum = left
        sum.pages += right.pages
        sum.zeroPages += right.zeroPages
        sum.unchangedPages += right.unchangedPages
        sum.repeatedPages += right.repeatedPages
        sum.wireBytes += right.wireBytes
        return sum
    }
}

/// The pages of one chunk, one bit each.
package struct ChunkPages: Hashable, Sendable {
    package var words = InlineArray<8, UInt64>(repeating: 0)

    package init() {}

    package mutating func insertPages(in pages: Range<Int>) {
        for page in pages { words[page / 64] |= 1 << UInt64(page % 64) }
    }

    package static func == (left: ChunkPages, right: ChunkPages) -> Bool {
        (0..<8).allSatisfy { left.words[$0] == right.words[$0] }
    }

    package func hash(into hasher: inout Hasher) {
        for index in 0..<8 { hasher.combine(words[index]) }
    }
}

/// The encoder of one stream, for one thread.
@safe package final class ChunkEncoder {
    /// Retains the owner of memory and bits.
    private let owner: AnyObject
    private let memory: UnsafeRawPointer
    private let dirtyBits: DirtyBits
    private let table: PageHashTable
    private let sent: PageHashTable?
    private let seed: UInt64
    private let codec = BlockCodec()

    /// The output buffer; its first `used` bytes contain consecutive frames.
    private let output: UnsafeMutableRawPointer
    private var used = 0
    /// The buffer of pages that wait for compression.
    private let scratch: UnsafeMutableRawPointer

    private var sequence: UInt32 = 0
    private var encoding = BlockEncoding.raw
    private var batchCount = 0
    private var batchIndex = InlineArray<32, UInt16>(repeating: 0)
    private var zeroRanges = InlineArray<512, UInt16>(repeating: 0)
    private var zeroRangeCount = 0

    package private(set) var counts = EncoderCounts()
    /// This stream's part of the digest.
    package private(set) var digest: MemoryDigest

    /// - Parameters:
    ///   - memory: all of guest memory, `table.pageCount` pages.
    ///   - owner: keeps memory and bits mapped.
    ///   - dirtyBits: one bit for each of these pages.
    ///   - table: the hashes of what the peer has.
    ///   - digest: this stream's part of the digest of the table.
    ///   - sent: the hashes of what was sent last, on this connection or an earlier one that broke; nil if there was
    ///     none.
    package init(
        memory: UnsafeRawPointer, dirtyBits: DirtyBits, owner: AnyObject, table: PageHashTable,
        seed: UInt64, digest: MemoryDigest = .empty, sent: PageHashTable? = nil
    ) {
        self.digest = digest
        self.sent = sent
        self.owner = owner
        unsafe self.memory = memory
        self.dirtyBits = dirtyBits
        self.table = table
        self.seed = seed
        unsafe output = .allocate(byteCount: Limits.sendBufferBytes, alignment: 64)
        unsafe scratch = .allocate(byteCount: Limits.batchBytesMax, alignment: 64)
    }

    deinit {
        unsafe output.deallocate()
        unsafe scratch.deallocate()
    }

    /// Encodes the chunk's dirty pages; calls `send` whenever the buffer is full, not necessarily at the end.
    /// - Parameter present: pages that are not holes; nil if unknown.
    package func encodeChunk<Failure: Error>(
        number chunk: Int, by encoding: BlockEncoding, present: ChunkPages? = nil,
        send: (RawSpan) throws(Failure) -> Void
    ) throws(Failure) {
        self.encoding = encoding
        let first = chunk * Limits.chunkPages
        let words = (min(table.pageCount - first, Limits.chunkPages) + 63) / 64
        for word in 0..<words {
            var bits = dirtyBits.bitmapWord(at: first / 64 + word)
            while bits != 0 {
                let page = word * 64 + bits.trailingZeroBitCount
                bits &= bits - 1
                guard first + page < table.pageCount else { break }
                let isHole = present.map { $0.words[word] & (1 << UInt64(page % 64)) == 0 } ?? false
                try encodePage(index: page, chunk: chunk, isHole: isHole, send: send)
            }
        }
        if batchCount > 0 { closeBatch(chunk: chunk) }
        if zeroRangeCount > 0 { try closeZeroRanges(chunk: chunk, send: send) }
    }

    /// Marks the end of a round and sends all output.
    package func encodeRoundEnd<Failure: Error>(
        number round: Int, send: (RawSpan) throws(Failure) -> Void
    ) throws(Failure) {
        try reserveOutput(bytes: PageFrameHeader.bytes, send: send)
        writeFrameHeader(of: .endOfRound, count: 0, bodyBytes: 0, argument: UInt32(round))
        used += PageFrameHeader.bytes
        try flushOutput(send: send)
    }

    private func encodePage<Failure: Error>(
        index page: Int, chunk: Int, isHole: Bool,
        send: (RawSpan) throws(Failure) -> Void
    ) throws(Failure) {
        let number = chunk * Limits.chunkPages + page
        if !isHole, batchCount == 0 { try openBatch(send: send) }
        counts.pages += 1
        if isHole {
            return try encodeZeroPage(index: page, number: number, chunk: chunk, send: send)
        }
        let copy = unsafe batchPages.advanced(by: batchCount * pageBytes)
        unsafe copy.copyMemory(from: memory.advanced(by: number * pageBytes), byteCount: pageBytes)
        if unsafe isZeroPage(at: copy) {
            return try encodeZeroPage(index: page, number: number, chunk: chunk, send: send)
        }
        let hash = unsafe PageHash(page: copy, seed: seed)
        if hash == table[number] {
            counts.unchangedPages += 1
            return
        }
        digest = digest + table.replaceHash(ofPage: number, with: hash)
        if let sent {
            if sent[number] == hash { counts.repeatedPages += 1 }
            sent[number] = hash
        }
        batchIndex[batchCount] = UInt16(page)
        batchCount += 1
        if batchCount == Limits.batchPagesMax { closeBatch(chunk: chunk) }
    }

    private func encodeZeroPage<Failure: Error>(
        index page: Int, number: Int, chunk: Int,
        send: (RawSpan) throws(Failure) -> Void
    ) throws(Failure) {
        if table[number] == .zeroPage {
            counts.unchangedPages += 1
            return
        }
        counts.zeroPages += 1
        digest = digest + table.replaceHash(ofPage: number, with: .zeroPage)
        if let sent { sent[number] = .zeroPage }
        let last = zeroRangeCount - 1
        if last >= 0, Int(zeroRanges[last * 2] + zeroRanges[last * 2 + 1]) == page {
            zeroRanges[last * 2 + 1] += 1
            return
        }
        zeroRanges[zeroRangeCount * 2] = UInt16(page)
        zeroRanges[zeroRangeCount * 2 + 1] = 1
        zeroRangeCount += 1
    }

    /// Where the pages of the open batch are collected: directly in the output if they are sent raw.
    private var batchPages: UnsafeMutableRawPointer {
        unsafe encoding == .raw ? blockPlace : scratch
    }

    private var blockPlace: UnsafeMutableRawPointer {
        unsafe output.advanced(by: used + PageFrameHeader.bytes + PageFrameHeader.indexBytes)
    }

    private func openBatch<Failure: Error>(
        send: (RawSpan) throws(Failure) -> Void
    ) throws(Failure) {
        try reserveOutput(bytes: PageFrameHeader.bytes + Limits.frameBodyBytesMax, send: send)
    }

    private func closeBatch(chunk: Int) {
        let pages = batchCount * pageBytes
        var blockBytes = pages
        var used = BlockEncoding.raw
        if encoding != .raw {
            let source = unsafe UnsafeRawBufferPointer(start: scratch, count: pages)
            let room = max(0, pages - min(Limits.savedBytesMin, pages / 8))
            let target = unsafe UnsafeMutableRawBufferPointer(start: blockPlace, count: room)
            if let count = unsafe codec.compressBlock(source, by: encoding, into: target) {
                blockBytes = count
                used = encoding
            } else {
                unsafe blockPlace.copyMemory(from: scratch, byteCount: pages)
            }
        }
        let index = unsafe output.advanced(by: self.used + PageFrameHeader.bytes)
        for place in 0..<Limits.batchPagesMax {
            let page = place < batchCount ? batchIndex[place] : 0
            unsafe index.storeBytes(of: page.littleEndian, toByteOffset: place * 2, as: UInt16.self)
        }
        let bodyBytes = PageFrameHeader.indexBytes + blockBytes
        writeFrameHeader(
            of: .pages, encoding: used, count: batchCount, bodyBytes: bodyBytes,
            argument: UInt32(chunk)
        )
        self.used += PageFrameHeader.bytes + bodyBytes
        batchCount = 0
    }

    private func closeZeroRanges<Failure: Error>(
        chunk: Int, send: (RawSpan) throws(Failure) -> Void
    ) throws(Failure) {
        let bodyBytes = zeroRangeCount * PageFrameHeader.rangeBytes
        try reserveOutput(bytes: PageFrameHeader.bytes + bodyBytes, send: send)
        let body = unsafe output.advanced(by: used + PageFrameHeader.bytes)
        for place in 0..<(zeroRangeCount * 2) {
            unsafe body.storeBytes(
                of: zeroRanges[place].littleEndian, toByteOffset: place * 2, as: UInt16.self)
        }
        writeFrameHeader(
            of: .zeroRanges, count: zeroRangeCount, bodyBytes: bodyBytes, argument: UInt32(chunk))
        used += PageFrameHeader.bytes + bodyBytes
        zeroRangeCount = 0
    }

    private func writeFrameHeader(
        of kind: PageFrameHeader.Kind, encoding: BlockEncoding = .raw, count: Int, bodyBytes: Int,
        argument: UInt32
    ) {
        let header = PageFrameHeader(
            kind: kind, encoding: encoding, count: count, bodyBytes: bodyBytes, sequence: sequence,
            argument: argument)
        unsafe header.writeHeader(to: output.advanced(by: used))
        sequence &+= 1
    }

    private func reserveOutput<Failure: Error>(
        bytes count: Int, send: (RawSpan) throws(Failure) -> Void
    ) throws(Failure) {
        if used + count > Limits.sendBufferBytes { try flushOutput(send: send) }
    }

    private func flushOutput<Failure: Error>(
        send: (RawSpan) throws(Failure) -> Void
    ) throws(Failure) {
        guard used > 0 else { return }
        counts.wireBytes += UInt64(used)
        let count = used
        used = 0
        try send(unsafe RawSpan(_unsafeStart: output, byteCount: count))
    }
}
