// Memory for tests, and both codecs over it with a byte array for a wire.

import Model
import PageCodec

/// Pages of memory and their dirty bits.
@safe final class Pages {
    let count: Int
    let bytes: UnsafeMutableRawBufferPointer
    let bits: UnsafeMutableBufferPointer<UInt64>

    init(_ count: Int) {
        self.count = count
        unsafe bytes = .allocate(byteCount: count * pageBytes, alignment: 4096)
        unsafe bytes.initializeMemory(as: UInt8.self, repeating: 0)
        unsafe bits = .allocate(capacity: (count + 63) / 64)
        unsafe bits.initialize(repeating: 0)
    }

    deinit {
        unsafe bytes.deallocate()
        unsafe bits.deallocate()
    }

    var base: UnsafeMutableRawPointer {
        guard let base = unsafe bytes.baseAddress else { fatalError("no memory") }
        return unsafe base
    }

    var dirtyBits: DirtyBits {
        guard let base = unsafe bits.baseAddress else { fatalError("no memory") }
        return unsafe DirtyBits(base: UnsafeRawPointer(base), pageCount: count)
    }

    func markAllDirty() { for page in 0..<count { markDirty(page) } }
    func markDirty(_ page: Int) { unsafe bits[page / 64] |= 1 << UInt64(page % 64) }
    func clearDirty() { unsafe bits.update(repeating: 0) }

    subscript(page: Int) -> [UInt8] {
        get { unsafe Array(bytes[(page * pageBytes)..<((page + 1) * pageBytes)]) }
        set {
            unsafe base.advanced(by: page * pageBytes).copyMemory(
                from: newValue, byteCount: pageBytes)
        }
    }

    func digest(seed: UInt64) -> MemoryDigest {
        unsafe computeMemoryDigest(of: UnsafeRawBufferPointer(bytes), seed: seed)
    }

    func isEqual(to other: Pages) -> Bool {
        (0..<count).allSatisfy { self[$0] == other[$0] }
    }

    /// A mix of zero, compressible and random pages.
    func fill(_ generator: inout SplitMix64) {
        for page in 0..<count {
            switch generator.next() % 4 {
            case 0: self[page] = [UInt8](repeating: 0, count: pageBytes)
            case 1: self[page] = text(&generator)
            case 2: self[page] = noise(&generator)
            default:
                var bytes = [UInt8](repeating: 0, count: pageBytes)
                bytes[Int(generator.next() % 4096)] = 1
                self[page] = bytes
            }
        }
    }
}

/// A page that nothing can compress.
func noise(_ generator: inout SplitMix64) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(pageBytes)
    while bytes.count < pageBytes {
        unsafe withUnsafeBytes(of: generator.next()) { unsafe bytes.append(contentsOf: $0) }
    }
    return bytes
}

func text(_ generator: inout SplitMix64) -> [UInt8] {
    let words = ["ferry ", "page ", "round ", "source ", "destination ", "downtime ", "epoch "]
    var bytes: [UInt8] = []
    while bytes.count < pageBytes {
        bytes += Array(words[Int(generator.next() % UInt64(words.count))].utf8)
    }
    return Array(bytes.prefix(pageBytes))
}

/// Collects what an encoder sends.
func frames(
    _ encoder: ChunkEncoder, chunks: Range<Int>, by encoding: BlockEncoding, round: Int = 1,
    present: ChunkPages? = nil
) -> [UInt8] {
    var wire: [UInt8] = []
    func collect(_ span: RawSpan) {
        unsafe span.withUnsafeBytes { unsafe wire.append(contentsOf: $0) }
    }
    for chunk in chunks {
        encoder.encodeChunk(number: chunk, by: encoding, present: present, send: collect)
    }
    encoder.encodeRoundEnd(number: round, send: collect)
    return wire
}

/// Why a wire could not be decoded to its end.
enum WireEnd: Error, Equatable {
    case short
    case frame(PageFrameError)
}

/// An array that is read from the front, as a connection is.
struct WireReader {
    let wire: [UInt8]
    var position = 0

    mutating func fill(_ span: inout MutableRawSpan) throws(WireEnd) {
        guard wire.count - position >= span.byteCount else { throw .short }
        for index in 0..<span.byteCount {
            span.storeBytes(of: wire[position + index], toByteOffset: index, as: UInt8.self)
        }
        position += span.byteCount
    }
}

/// Feeds a decoder from an array; returns what each frame was.
func decode(_ wire: [UInt8], with decoder: ChunkDecoder) throws(WireEnd) -> [AppliedFrame] {
    var reader = WireReader(wire: wire)
    var applied: [AppliedFrame] = []
    while reader.position < wire.count {
        try decoder.receiveHeader { (span) throws(WireEnd) in try reader.fill(&span) }
        let header: PageFrameHeader
        do { header = try decoder.acceptHeader() } catch { throw .frame(error) }
        try decoder.receiveBody(of: header) { (span) throws(WireEnd) in try reader.fill(&span) }
        do { applied.append(try decoder.applyFrame(header: header)) } catch { throw .frame(error) }
    }
    return applied
}
