// Compresses and decompresses one block of bytes with four encodings. Contexts are allocated once.

import CLZ4
import CZlib
import CZstd

/// The encoding of a batch's bytes on the wire.
package enum BlockEncoding: UInt8, Hashable, Sendable, CaseIterable {
    case raw = 0
    case lz4 = 1
    case zstd = 2
    case zlib = 3
}

/// Why a block could not be decoded. Nothing was written outside its target.
package enum BlockError: Error, Hashable, Sendable {
    case unknownEncoding(UInt8)
    /// The block is damaged, or contains more or fewer bytes than expected.
    case damaged(BlockEncoding)
}

/// The contexts of the encodings, for one thread.
@safe package final class BlockCodec {
    private let lz4State: UnsafeMutableRawPointer
    private let zstdCompressor: OpaquePointer
    private let zstdDecompressor: OpaquePointer
    private var deflater = unsafe z_stream()
    private var inflater = unsafe z_stream()

    package init() {
        unsafe lz4State = .allocate(byteCount: Int(LZ4_sizeofState()), alignment: 16)
        guard let compressor = unsafe ZSTD_createCCtx(), let decompressor = unsafe ZSTD_createDCtx()
        else { fatalError("zstd contexts cannot be allocated") }
        unsafe zstdCompressor = compressor
        unsafe zstdDecompressor = decompressor
        let level = unsafe ZSTD_CCtx_setParameter(
            compressor, ZSTD_c_compressionLevel, Limits.zstdLevel)
        precondition(ZSTD_isError(level) == 0, "zstd does not know the level")
        let size = unsafe Int32(MemoryLayout<z_stream>.size)
        guard
            unsafe deflateInit2_(
                &deflater, Limits.zlibLevel, Z_DEFLATED, 15, 8, Z_DEFAULT_STRATEGY, ZLIB_VERSION,
                size)
                == Z_OK,
            unsafe inflateInit2_(&inflater, 15, ZLIB_VERSION, size) == Z_OK
        else { fatalError("zlib contexts cannot be allocated") }
    }

    deinit {
        unsafe lz4State.deallocate()
        _ = unsafe ZSTD_freeCCtx(zstdCompressor)
        _ = unsafe ZSTD_freeDCtx(zstdDecompressor)
        _ = unsafe deflateEnd(&deflater)
        _ = unsafe inflateEnd(&inflater)
    }

    /// The number of bytes written to `target`; nil if they do not fit. Not for `raw`.
    package func compressBlock(
        _ source: UnsafeRawBufferPointer, by encoding: BlockEncoding,
        into target: UnsafeMutableRawBufferPointer
    ) -> Int? {
        switch encoding {
        case .raw: return nil
        case .lz4:
            let count = unsafe LZ4_compress_fast_extState(
                lz4State, source.baseAddress?.assumingMemoryBound(to: CChar.self),
                target.baseAddress?.assumingMemoryBound(to: CChar.self), Int32(source.count),
                Int32(target.count), Limits.lz4Acceleration)
            return count > 0 ? Int(count) : nil
        case .zstd:
            let count = unsafe ZSTD_compress2(
                zstdCompressor, target.baseAddress, target.count, source.baseAddress, source.count)
            return ZSTD_isError(count) == 0 ? count : nil
        case .zlib:
            guard unsafe deflateReset(&deflater) == Z_OK else { return nil }
            // zlib does not write to its input; the C declaration only lacks the const.
            unsafe deflater.next_in = UnsafeMutableRawPointer(mutating: source.baseAddress)?
                .assumingMemoryBound(to: Bytef.self)
            unsafe deflater.avail_in = uInt(source.count)
            unsafe deflater.next_out = target.baseAddress?.assumingMemoryBound(to: Bytef.self)
            unsafe deflater.avail_out = uInt(target.count)
            guard unsafe deflate(&deflater, Z_FINISH) == Z_STREAM_END else { return nil }
            return unsafe target.count - Int(deflater.avail_out)
        }
    }

    /// Fills `target` completely.
    package func decompressBlock(
        _ source: UnsafeRawBufferPointer, by encoding: BlockEncoding,
        into target: UnsafeMutableRawBufferPointer
    ) throws(BlockError) {
        let count: Int
        switch encoding {
        case .raw:
            guard source.count == target.count else { throw .damaged(.raw) }
            unsafe target.copyMemory(from: source)
            count = source.count
        case .lz4:
            count = unsafe Int(
                LZ4_decompress_safe(
                    source.baseAddress?.assumingMemoryBound(to: CChar.self),
                    target.baseAddress?.assumingMemoryBound(to: CChar.self), Int32(source.count),
                    Int32(target.count)))
        case .zstd:
            let result = unsafe ZSTD_decompressDCtx(
                zstdDecompressor, target.baseAddress, target.count, source.baseAddress,
                source.count)
            count = ZSTD_isError(result) == 0 ? result : -1
        case .zlib: count = unsafe inflateBlock(source, into: target)
        }
        guard count == target.count else { throw .damaged(encoding) }
    }

    private func inflateBlock(
        _ source: UnsafeRawBufferPointer, into target: UnsafeMutableRawBufferPointer
    ) -> Int {
        guard unsafe inflateReset(&inflater) == Z_OK else { return -1 }
        unsafe inflater.next_in = UnsafeMutableRawPointer(mutating: source.baseAddress)?
            .assumingMemoryBound(to: Bytef.self)
        unsafe inflater.avail_in = uInt(source.count)
        unsafe inflater.next_out = target.baseAddress?.assumingMemoryBound(to: Bytef.self)
        unsafe inflater.avail_out = uInt(target.count)
        guard unsafe inflate(&inflater, Z_FINISH) == Z_STREAM_END, unsafe inflater.avail_in == 0
        else { return -1 }
        return unsafe target.count - Int(inflater.avail_out)
    }
}
