// The content of a data stream: frames of pages, all from one chunk, and marks of the end of a round.
//
//   0  UInt32  bytes of the body
//   4  UInt8   kind
//   5  UInt8   encoding of the block; 0 if there is none
//   6  UInt16  count of ranges or pages; 0 for the end of a round
//   8  UInt32  sequence of the frame on its stream, from 0, wrapping
//  12  UInt32  chunk, or the round that ended
//
// Body of zero ranges: for each range UInt16 first page in the chunk, UInt16 pages. Body of pages: 32 entries of UInt16
// page in the chunk, ascending, unused entries zero; then the block. Little-endian.

/// The header of a frame on a data stream.
package struct PageFrameHeader: Hashable, Sendable {
    package static let bytes = 16
    static let indexBytes = Limits.batchPagesMax * 2
    static let rangeBytes = 4

    package enum Kind: UInt8, Hashable, Sendable {
        case zeroRanges = 1
        case pages = 2
        case endOfRound = 3
    }

    package var kind: Kind
    package var encoding: BlockEncoding
    package var count: Int
    package var bodyBytes: Int
    package var sequence: UInt32
    package var argument: UInt32

    package init(
        kind: Kind, encoding: BlockEncoding = .raw, count: Int = 0, bodyBytes: Int = 0,
        sequence: UInt32, argument: UInt32
    ) {
        self.kind = kind
        self.encoding = encoding
        self.count = count
        self.bodyBytes = bodyBytes
        self.sequence = sequence
        self.argument = argument
    }

    /// Decodes and checks a header of `bytes` bytes: afterwards the body fits into a buffer of
    /// `Limits.frameBodyBytesMax` and the count fits the body.
    package init(from bytes: UnsafeRawBufferPointer) throws(PageFrameError) {
        guard let header = bytes.baseAddress, bytes.count >= Self.bytes else {
            throw .truncated(bytes.count)
        }
        let kindByte = unsafe header.load(fromByteOffset: 4, as: UInt8.self)
        guard let kind = Kind(rawValue: kindByte) else { throw .unknownKind(kindByte) }
        let encodingByte = unsafe header.load(fromByteOffset: 5, as: UInt8.self)
        guard let encoding = BlockEncoding(rawValue: encodingByte),
            kind == .pages || encoding == .raw
        else { throw .block(.unknownEncoding(encodingByte)) }
        self.kind = kind
        self.encoding = encoding
        count = Int(unsafe readInteger(from: header, offset: 6, as: UInt16.self))
        bodyBytes = Int(unsafe readInteger(from: header, offset: 0, as: UInt32.self))
        sequence = unsafe readInteger(from: header, offset: 8, as: UInt32.self)
        argument = unsafe readInteger(from: header, offset: 12, as: UInt32.self)
        guard sizesFit else { throw .badSize(kind, count: count, bodyBytes: bodyBytes) }
    }

    private var sizesFit: Bool {
        switch kind {
        case .zeroRanges:
            (1...Limits.zeroRangesMax).contains(count) && bodyBytes == count * Self.rangeBytes
        case .pages:
            (1...Limits.batchPagesMax).contains(count) && bodyBytes > Self.indexBytes
                && bodyBytes <= Self.indexBytes + count * 4096
                && (encoding != .raw || bodyBytes == Self.indexBytes + count * 4096)
        case .endOfRound: count == 0 && bodyBytes == 0
        }
    }

    package func writeHeader(to target: UnsafeMutableRawPointer) {
        unsafe target.storeBytes(
            of: UInt32(bodyBytes).littleEndian, toByteOffset: 0, as: UInt32.self)
        unsafe target.storeBytes(of: kind.rawValue, toByteOffset: 4, as: UInt8.self)
        unsafe target.storeBytes(of: encoding.rawValue, toByteOffset: 5, as: UInt8.self)
        unsafe target.storeBytes(of: UInt16(count).littleEndian, toByteOffset: 6, as: UInt16.self)
        unsafe target.storeBytes(of: sequence.littleEndian, toByteOffset: 8, as: UInt32.self)
        unsafe target.storeBytes(of: argument.littleEndian, toByteOffset: 12, as: UInt32.self)
    }
}

/// Why a data stream cannot continue.
package enum PageFrameError: Error, Hashable, Sendable {
    case truncated(Int)
    case unknownKind(UInt8)
    case badSize(PageFrameHeader.Kind, count: Int, bodyBytes: Int)
    /// A frame is missing or duplicated.
    case outOfSequence(expected: UInt32, found: UInt32)
    /// Outside the memory, or a chunk of another stream.
    case wrongChunk(UInt32)
    /// Page numbers that do not ascend, or are outside the chunk or the memory.
    case badPages(chunk: UInt32)
    case block(BlockError)
}

extension PageFrameError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .truncated(let count): "a header of \(count) bytes"
        case .unknownKind(let kind): "a frame of unknown kind \(kind)"
        case .badSize(let kind, let count, let bytes):
            "a frame of \(kind) with \(count) elements and \(bytes) bytes"
        case .outOfSequence(let expected, let found):
            "frame \(found) instead of frame \(expected)"
        case .wrongChunk(let chunk): "chunk \(chunk) does not belong on this stream"
        case .badPages(let chunk): "invalid page numbers in chunk \(chunk)"
        case .block(.unknownEncoding(let byte)): "a block of unknown encoding \(byte)"
        case .block(.damaged(let encoding)): "a damaged \(encoding) block"
        }
    }
}

/// A little-endian integer at any alignment.
@inline(__always)
func readInteger<Value: FixedWidthInteger>(
    from base: UnsafeRawPointer, offset: Int, as type: Value.Type
) -> Value {
    Value(littleEndian: unsafe base.loadUnaligned(fromByteOffset: offset, as: Value.self))
}
