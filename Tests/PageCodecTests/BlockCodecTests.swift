// Compression of one block: round trips, and damage that never traps or writes outside.

import Model
import PageCodec
import Testing

@Suite("Block codec")
struct BlockCodecTests {
    /// Compresses; nil when the block did not fit.
    private func compressed(
        _ bytes: [UInt8], _ encoding: BlockEncoding, _ codec: BlockCodec, room: Int? = nil
    ) -> [UInt8]? {
        var target = [UInt8](repeating: 0, count: room ?? bytes.count)
        let count = unsafe bytes.withUnsafeBytes { source in
            unsafe target.withUnsafeMutableBytes {
                unsafe codec.compressBlock(source, by: encoding, into: $0)
            }
        }
        return count.map { Array(target.prefix($0)) }
    }

    private func decompressed(
        _ block: [UInt8], _ encoding: BlockEncoding, _ codec: BlockCodec, count: Int
    ) throws(BlockError) -> [UInt8] {
        var guarded = [UInt8](repeating: 0xA5, count: count + 128)
        var failure: BlockError?
        unsafe block.withUnsafeBytes { source in
            unsafe guarded.withUnsafeMutableBytes { target in
                do throws(BlockError) {
                    let place = unsafe UnsafeMutableRawBufferPointer(
                        rebasing: target[64..<(64 + count)])
                    try unsafe codec.decompressBlock(source, by: encoding, into: place)
                } catch {
                    failure = error
                }
            }
        }
        #expect(guarded.prefix(64).allSatisfy { $0 == 0xA5 }, "written before its place")
        #expect(guarded.suffix(64).allSatisfy { $0 == 0xA5 }, "written behind its place")
        if let failure { throw failure }
        return Array(guarded[64..<(64 + count)])
    }

    @Test(arguments: [BlockEncoding.lz4, .zstd, .zlib])
    func `What was compressed comes back`(_ encoding: BlockEncoding) throws {
        let codec = BlockCodec()
        var generator = SplitMix64(seed: 1)
        for pages in [1, 2, 31, 32] {
            let bytes = (0..<pages).flatMap { _ in text(&generator) }
            let block = try #require(compressed(bytes, encoding, codec))
            #expect(block.count < bytes.count / 2)
            let back = try decompressed(block, encoding, codec, count: bytes.count)
            #expect(back == bytes)
        }
    }

    @Test(arguments: [BlockEncoding.lz4, .zstd, .zlib])
    func `What does not shrink is refused`(_ encoding: BlockEncoding) {
        var generator = SplitMix64(seed: 2)
        let bytes = (0..<8192).map { _ in UInt8.random(in: 0...255, using: &generator) }
        #expect(compressed(bytes, encoding, BlockCodec(), room: 7900) == nil)
    }

    @Test(arguments: [BlockEncoding.lz4, .zstd, .zlib])
    func `Every truncation is an error`(_ encoding: BlockEncoding) throws {
        let codec = BlockCodec()
        var generator = SplitMix64(seed: 3)
        let bytes = text(&generator)
        let block = try #require(compressed(bytes, encoding, codec))
        for count in 0..<block.count {
            #expect(throws: BlockError.damaged(encoding)) {
                try decompressed(
                    Array(block.prefix(count)), encoding, codec, count: bytes.count)
            }
        }
        #expect(try decompressed(block, encoding, codec, count: bytes.count) == bytes)
    }

    @Test(arguments: [BlockEncoding.lz4, .zstd, .zlib])
    func `A block of another size than announced is an error`(_ encoding: BlockEncoding) throws {
        let codec = BlockCodec()
        var generator = SplitMix64(seed: 4)
        let bytes = text(&generator) + text(&generator)
        let block = try #require(compressed(bytes, encoding, codec))
        for count in [0, 1, pageBytes, bytes.count - 1, bytes.count + 1, bytes.count * 2] {
            #expect(throws: BlockError.self) {
                try decompressed(block, encoding, codec, count: count)
            }
        }
    }

    @Test(arguments: [BlockEncoding.lz4, .zstd, .zlib])
    func `Flipped bits never trap nor write outside`(_ encoding: BlockEncoding) throws {
        let codec = BlockCodec()
        var generator = SplitMix64(seed: 5)
        let bytes = text(&generator)
        let block = try #require(compressed(bytes, encoding, codec))
        for _ in 0..<3000 {
            var damaged = block
            for _ in 0...(generator.next() % 4) {
                let bit = Int(generator.next() % UInt64(damaged.count * 8))
                damaged[bit / 8] ^= 1 << UInt8(bit % 8)
            }
            // Damage may go unseen here: the digest is what finds that.
            _ = try? decompressed(damaged, encoding, codec, count: bytes.count)
        }
        #expect(try decompressed(block, encoding, codec, count: bytes.count) == bytes)
    }
}
