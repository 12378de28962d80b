// Decodes frames into pages of memory, and hashes each page at its destination.
//
// Frames come from a peer: every number is checked before it is used, a damaged block writes only into the pages that
// its frame names, and invalid input throws.

package import Model

/// The meaning of an applied frame.
package enum AppliedFrame: Hashable, Sendable {
    case pages(Int)
    case endOfRound(Int)
}

/// The decoder of one stream, for one thread.
@safe package final class ChunkDecoder {
    /// Retains the owner of the memory.
    private let owner: AnyObject
    private let memory: UnsafeMutableRawPointer
    private let table: PageHashTable
    private let seed: UInt64
    private let stream: Int
    private let streams: Int
    private let codec = BlockCodec()
    private let scratch: UnsafeMutableRawPointer
    private let writeFresh: (RawSpan, Int) -> Bool
    private var sequence: UInt32 = 0

    /// The buffers into which frames are received: a header, and a body of at most `Limits.frameBodyBytesMax` bytes.
    private let header: UnsafeMutableRawBufferPointer
    private let body: UnsafeMutableRawBufferPointer
    /// This stream's part of the digest.
    package private(set) var digest: MemoryDigest
    package private(set) var pages: UInt64 = 0

    /// - Parameters:
    ///   - memory: all of guest memory, `table.pageCount` pages, zero where the table has none.
    ///   - owner: keeps the memory mapped.
    ///   - stream: the number of this stream among `streams`: it carries chunk i if i mod `streams` is this number.
    ///   - writeFresh: writes bytes at an offset of the memory file where nothing was written before, or returns false
    ///     if it cannot. A write to a file costs half of the first access to as many pages through a mapping: no page
    ///     is cleared first, and none faults.
    package init(
        memory: UnsafeMutableRawPointer, owner: AnyObject, table: PageHashTable, seed: UInt64,
        stream: Int, streams: Int,
        writeFresh: @escaping (RawSpan, Int) -> Bool = { _, _ in false }
    ) {
        unsafe self.memory = memory
        self.owner = owner
        self.writeFresh = writeFresh
        self.table = table
        self.seed = seed
        self.stream = stream
        self.streams = streams
        digest = table.partialDigest(ofStream: stream, streamCount: streams)
        unsafe scratch = .allocate(byteCount: Limits.batchBytesMax, alignment: 64)
        unsafe header = .allocate(byteCount: PageFrameHeader.bytes, alignment: 64)
        unsafe body = .allocate(byteCount: Limits.frameBodyBytesMax, alignment: 64)
    }

    deinit {
        unsafe scratch.deallocate()
        unsafe header.deallocate()
        unsafe body.deallocate()
    }

    /// Lets `receive` fill a header.
    package func receiveHeader<Failure: Error>(
        using receive: (inout MutableRawSpan) throws(Failure) -> Void
    ) throws(Failure) {
        var span = unsafe header.mutableBytes
        try receive(&span)
    }

    /// Lets `receive` fill the body that an accepted header announced.
    package func receiveBody<Failure: Error>(
        of header: PageFrameHeader, using receive: (inout MutableRawSpan) throws(Failure) -> Void
    ) throws(Failure) {
        guard header.bodyBytes > 0 else { return }
        var span = unsafe UnsafeMutableRawBufferPointer(rebasing: body[..<header.bodyBytes])
            .mutableBytes
        try receive(&span)
    }

    /// Checks the header that was received.
    package func acceptHeader() throws(PageFrameError) -> PageFrameHeader {
        let header = try unsafe PageFrameHeader(from: UnsafeRawBufferPointer(header))
        guard header.sequence == sequence else {
            throw .outOfSequence(expected: sequence, found: header.sequence)
        }
        sequence &+= 1
        if header.kind != .endOfRound {
            let chunk = Int(header.argument)
            guard chunk % streams == stream, chunk * Limits.chunkPages < table.pageCount else {
                throw .wrongChunk(header.argument)
            }
        }
        return header
    }

    /// Applies the frame whose body was received.
    package func applyFrame(header: PageFrameHeader) throws(PageFrameError) -> AppliedFrame {
        switch header.kind {
        case .endOfRound: return .endOfRound(Int(header.argument))
        case .zeroRanges: return .pages(try applyZeroRanges(of: header))
        case .pages:
            try applyPages(of: header)
            return .pages(header.count)
        }
    }

    private func applyZeroRanges(of header: PageFrameHeader) throws(PageFrameError) -> Int {
        var count = 0
        for place in 0..<header.count {
            let first = Int(bodyWord(at: place * 2))
            let length = Int(bodyWord(at: place * 2 + 1))
            guard length > 0, first + length <= pageCount(ofChunk: header.argument) else {
                throw .badPages(chunk: header.argument)
            }
            let start = Int(header.argument) * Limits.chunkPages + first
            for page in start..<(start + length) { writeZeroPage(at: page) }
            count += length
        }
        pages += UInt64(count)
        return count
    }

    /// A page that was never written is already zero: it is not touched, so that it takes no memory.
    private func writeZeroPage(at page: Int) {
        let old = table[page]
        if old == .zeroPage { return }
        if old != .none {
            unsafe pagePointer(at: page).initializeMemory(
                as: UInt8.self, repeating: 0, count: pageBytes)
        }
        digest = digest + table.replaceHash(ofPage: page, with: .zeroPage)
    }

    private func applyPages(of header: PageFrameHeader) throws(PageFrameError) {
        let start = Int(header.argument) * Limits.chunkPages
        let limit = pageCount(ofChunk: header.argument)
        var previous = -1
        for place in 0..<header.count {
            let page = Int(bodyWord(at: place))
            guard page > previous, page < limit else { throw .badPages(chunk: header.argument) }
            previous = page
        }
        do { try placePages(of: header, from: start) } catch { throw .block(error) }
        for place in 0..<header.count {
            let page = start + Int(bodyWord(at: place))
            let hash = unsafe PageHash(page: self.pagePointer(at: page), seed: seed)
            digest = digest + table.replaceHash(ofPage: page, with: hash)
        }
        pages += UInt64(header.count)
    }

    /// Decodes a checked frame of pages into memory.
    private func placePages(of header: PageFrameHeader, from start: Int) throws(BlockError) {
        let block = unsafe UnsafeRawBufferPointer(
            rebasing: body[PageFrameHeader.indexBytes..<header.bodyBytes])
        let first = start + Int(bodyWord(at: 0))
        let last = start + Int(bodyWord(at: header.count - 1))
        let isOneRun = last - first == header.count - 1
        if isOneRun, header.encoding != .raw, !isNeverWritten(pages: first...last) {
            let target = unsafe UnsafeMutableRawBufferPointer(
                start: pagePointer(at: first), count: header.count * pageBytes)
            return try unsafe codec.decompressBlock(block, by: header.encoding, into: target)
        }
        var source = unsafe block
        if header.encoding != .raw {
            let target = unsafe UnsafeMutableRawBufferPointer(
                start: scratch, count: header.count * pageBytes)
            try unsafe codec.decompressBlock(block, by: header.encoding, into: target)
            unsafe source = UnsafeRawBufferPointer(target)
        }
        guard let bytes = source.baseAddress else { return }
        var from = 0
        while from < header.count {
            let page = start + Int(bodyWord(at: from))
            var to = from + 1
            while to < header.count, start + Int(bodyWord(at: to)) == page + to - from { to += 1 }
            unsafe placePageRun(
                from: bytes.advanced(by: from * pageBytes), pages: page...(page + to - from - 1))
            from = to
        }
    }

    /// Contiguous pages, from decoded bytes.
    private func placePageRun(from bytes: UnsafeRawPointer, pages: ClosedRange<Int>) {
        let count = pages.count * pageBytes
        if isNeverWritten(pages: pages) {
            let span = unsafe RawSpan(_unsafeStart: bytes, byteCount: count)
            if writeFresh(span, pages.lowerBound * pageBytes) { return }
        }
        precondition(pages.upperBound < table.pageCount)
        unsafe pagePointer(at: pages.lowerBound).copyMemory(from: bytes, byteCount: count)
    }

    /// None of these pages was written before.
    private func isNeverWritten(pages: ClosedRange<Int>) -> Bool {
        for page in pages where table[page] != .none && table[page] != .zeroPage { return false }
        return true
    }

    private func pagePointer(at page: Int) -> UnsafeMutableRawPointer {
        precondition(page >= 0 && page < table.pageCount)
        return unsafe memory.advanced(by: page * pageBytes)
    }

    private func pageCount(ofChunk chunk: UInt32) -> Int {
        min(Limits.chunkPages, table.pageCount - Int(chunk) * Limits.chunkPages)
    }

    /// The n-th 16-bit word of the body.
    private func bodyWord(at place: Int) -> UInt16 {
        unsafe UInt16(littleEndian: body.loadUnaligned(fromByteOffset: place * 2, as: UInt16.self))
    }
}
