// From memory to frames to memory, and every way in which frames can be wrong.

import Model
import PageCodec
import Testing

@Suite("Chunks")
struct ChunkTests {
    private let seed: UInt64 = 42

    private func encoder(_ pages: Pages, table: PageHashTable? = nil) -> ChunkEncoder {
        unsafe ChunkEncoder(
            memory: pages.base, dirtyBits: pages.dirtyBits, owner: pages,
            table: table ?? PageHashTable(pageCount: pages.count), seed: seed)
    }

    private func decoder(_ pages: Pages, stream: Int = 0, streams: Int = 1) -> ChunkDecoder {
        unsafe ChunkDecoder(
            memory: pages.base, owner: pages, table: PageHashTable(pageCount: pages.count),
            seed: seed, stream: stream, streams: streams)
    }

    @Test(arguments: BlockEncoding.allCases)
    func `Memory arrives as it was, in every encoding`(_ encoding: BlockEncoding) throws {
        var generator = SplitMix64(seed: 1)
        let source = Pages(512 + 64)
        source.fill(&generator)
        source.markAllDirty()
        let target = Pages(source.count)
        let encoder = encoder(source)
        let decoder = decoder(target)
        let applied = try decode(frames(encoder, chunks: 0..<2, by: encoding), with: decoder)
        #expect(applied.last == .endOfRound(1))
        #expect(source.isEqual(to: target))
        #expect(encoder.digest == decoder.digest)
        #expect(encoder.digest == source.digest(seed: seed))
        #expect(encoder.counts.pages == UInt64(source.count))
    }

    @Test(arguments: BlockEncoding.allCases)
    func `Later rounds bring what changed, and nothing for what did not`(
        _ encoding: BlockEncoding
    ) throws {
        var generator = SplitMix64(seed: 2)
        let source = Pages(576)
        source.fill(&generator)
        source.markAllDirty()
        let target = Pages(576)
        let encoder = encoder(source)
        let decoder = decoder(target)
        _ = try decode(frames(encoder, chunks: 0..<2, by: encoding), with: decoder)
        for round in 2...6 {
            source.clearDirty()
            for _ in 0..<40 {
                let page = Int(generator.next() % 576)
                source.markDirty(page)
                switch generator.next() % 3 {
                case 0: break  // dirty, with the content it had
                case 1: source[page] = [UInt8](repeating: 0, count: pageBytes)
                default: source[page] = text(&generator)
                }
            }
            _ = try decode(
                frames(encoder, chunks: 0..<2, by: encoding, round: round), with: decoder)
            #expect(source.isEqual(to: target))
            #expect(encoder.digest == decoder.digest)
        }
        #expect(encoder.digest == source.digest(seed: seed))
        #expect(encoder.counts.unchangedPages > 0)
    }

    @Test func `Pages that do not shrink travel raw`() throws {
        var generator = SplitMix64(seed: 3)
        let source = Pages(64)
        for page in 0..<64 {
            source[page] = noise(&generator)
        }
        source.markAllDirty()
        let wire = frames(encoder(source), chunks: 0..<1, by: .zstd)
        #expect(wire[5] == BlockEncoding.raw.rawValue)
        let target = Pages(64)
        _ = try decode(wire, with: decoder(target))
        #expect(source.isEqual(to: target))
    }

    @Test func `Holes travel as zeros and are not read`() throws {
        var generator = SplitMix64(seed: 4)
        let source = Pages(512)
        for page in 0..<512 { source[page] = text(&generator) }
        source.markAllDirty()
        var present = ChunkPages()
        present.insertPages(in: 100..<200)
        let target = Pages(512)
        let encoder = encoder(source)
        let decoder = decoder(target)
        _ = try decode(
            frames(encoder, chunks: 0..<1, by: .raw, present: present), with: decoder)
        #expect(encoder.counts.zeroPages == 412)
        #expect(target[150] == source[150])
        #expect(target[99].allSatisfy { $0 == 0 })
        #expect(encoder.digest == decoder.digest)
    }

    @Test func `A frame has these bytes`() {
        let source = Pages(64)
        source[3] = [UInt8](repeating: 7, count: pageBytes)
        source.markDirty(2)
        source.markDirty(3)
        let wire = frames(encoder(source), chunks: 0..<1, by: .raw, round: 9)
        let pagesHeader: [UInt8] = [64, 16, 0, 0, 2, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0]
        #expect(Array(wire[0..<16]) == pagesHeader)
        #expect(Array(wire[16..<18]) == [3, 0])
        #expect(wire[18..<80].allSatisfy { $0 == 0 })
        #expect(wire[80..<(80 + 4096)].allSatisfy { $0 == 7 })
        let zeros: [UInt8] = [4, 0, 0, 0, 1, 0, 1, 0, 1, 0, 0, 0, 0, 0, 0, 0, 2, 0, 1, 0]
        #expect(Array(wire[4176..<4196]) == zeros)
        let end: [UInt8] = [0, 0, 0, 0, 3, 0, 0, 0, 2, 0, 0, 0, 9, 0, 0, 0]
        #expect(Array(wire[4196...]) == end)
    }

    // MARK: What the digest protects

    @Test func `A byte that changes on the way makes the digests differ`() throws {
        var generator = SplitMix64(seed: 5)
        let source = Pages(64)
        for page in 0..<64 { source[page] = text(&generator) }
        source.markAllDirty()
        let encoder = encoder(source)
        var wire = frames(encoder, chunks: 0..<1, by: .raw)
        wire[16 + 64 + 5 * pageBytes + 1234] ^= 0x10
        let decoder = decoder(Pages(64))
        _ = try decode(wire, with: decoder)
        #expect(encoder.digest != decoder.digest)
    }

    @Test func `A page that lands in another's place makes the digests differ`() throws {
        var generator = SplitMix64(seed: 6)
        let source = Pages(64)
        for page in 0..<2 { source[page] = text(&generator) }
        source.markDirty(0)
        source.markDirty(1)
        let encoder = encoder(source)
        var wire = frames(encoder, chunks: 0..<1, by: .raw)
        wire[18] = 2  // page 1 becomes page 2
        let decoder = decoder(Pages(64))
        _ = try decode(wire, with: decoder)
        #expect(encoder.digest != decoder.digest)
    }

    @Test
    func
        `What happens to memory after it landed is for a verification to find, not for the digest`()
        throws
    {
        var generator = SplitMix64(seed: 7)
        let source = Pages(64)
        source.fill(&generator)
        source.markAllDirty()
        let target = Pages(64)
        let encoder = encoder(source)
        let decoder = decoder(target)
        _ = try decode(frames(encoder, chunks: 0..<1, by: .raw), with: decoder)
        unsafe target.bytes[777] ^= 1
        #expect(encoder.digest == decoder.digest)
        #expect(target.digest(seed: seed) != encoder.digest)
    }

    @Test
    func `A change that the dirty log forgot is for a verification to find, not for the digest`()
        throws
    {
        var generator = SplitMix64(seed: 8)
        let source = Pages(64)
        source.fill(&generator)
        source.markAllDirty()
        let encoder = encoder(source)
        let decoder = decoder(Pages(64))
        _ = try decode(frames(encoder, chunks: 0..<1, by: .raw), with: decoder)
        unsafe source.bytes[0] ^= 1
        #expect(encoder.digest == decoder.digest)
        #expect(source.digest(seed: seed) != encoder.digest)
    }

    // MARK: Frames that are wrong

    private func goodWire(_ seed: UInt64) -> [UInt8] {
        var generator = SplitMix64(seed: seed)
        let source = Pages(16)
        source.fill(&generator)
        source.markAllDirty()
        return frames(encoder(source), chunks: 0..<1, by: .lz4)
    }

    @Test func `Every truncation ends short and applies only whole frames`() throws {
        let wire = goodWire(9)
        for count in stride(from: 0, to: wire.count, by: 37) {
            let decoder = decoder(Pages(16))
            do { _ = try decode(Array(wire.prefix(count)), with: decoder) } catch {
                #expect(error == .short)
            }
        }
    }

    @Test func `Flipped bits are typed errors or another digest, never a trap`() {
        let wire = goodWire(10)
        let good = decoder(Pages(16))
        _ = try? decode(wire, with: good)
        var generator = SplitMix64(seed: 11)
        for _ in 0..<3000 {
            var damaged = wire
            let bit = Int(generator.next() % UInt64(damaged.count * 8))
            damaged[bit / 8] ^= 1 << UInt8(bit % 8)
            let decoder = decoder(Pages(16))
            do {
                let applied = try decode(damaged, with: decoder)
                // What stays whole and the same is at most the number of the round, or unused places.
                let isHarmless = decoder.digest == good.digest
                #expect(applied.count > 0 || isHarmless)
            } catch {}
        }
    }

    @Test func `A frame that is missing or comes twice is out of sequence`() {
        let source = Pages(64)
        source[1] = [UInt8](repeating: 7, count: pageBytes)
        source.markDirty(1)
        let wire = frames(encoder(source), chunks: 0..<1, by: .raw)
        let end = Array(wire.suffix(16))
        #expect(throws: WireEnd.frame(.outOfSequence(expected: 0, found: 1))) {
            try decode(end, with: decoder(Pages(64)))
        }
        #expect(throws: WireEnd.frame(.outOfSequence(expected: 2, found: 1))) {
            try decode(wire + end, with: decoder(Pages(64)))
        }
    }

    private func header(
        kind: UInt8 = 2, encoding: UInt8 = 0, count: UInt16 = 1, body: UInt32 = 4160,
        chunk: UInt32 = 0
    ) -> [UInt8] {
        var bytes: [UInt8] = []
        func put(_ value: some FixedWidthInteger) {
            unsafe withUnsafeBytes(of: value.littleEndian) { unsafe bytes.append(contentsOf: $0) }
        }
        put(body)
        put(kind)
        put(encoding)
        put(count)
        put(UInt32(0))
        put(chunk)
        return bytes
    }

    @Test func `Headers that cannot be are refused before a body is read`() {
        let cases: [([UInt8], PageFrameError)] = [
            (header(kind: 9), .unknownKind(9)),
            (header(encoding: 9), .block(.unknownEncoding(9))),
            (header(kind: 3, encoding: 1, count: 0, body: 0), .block(.unknownEncoding(1))),
            (header(body: .max), .badSize(.pages, count: 1, bodyBytes: Int(UInt32.max))),
            (
                header(count: 33, body: 64 + 33 * 4096),
                .badSize(.pages, count: 33, bodyBytes: 135_232)
            ),
            (header(count: 0, body: 64), .badSize(.pages, count: 0, bodyBytes: 64)),
            (header(body: 4159), .badSize(.pages, count: 1, bodyBytes: 4159)),
            (
                header(kind: 1, count: 257, body: 1028),
                .badSize(.zeroRanges, count: 257, bodyBytes: 1028)
            ),
            (header(kind: 1, count: 1, body: 8), .badSize(.zeroRanges, count: 1, bodyBytes: 8)),
            (header(kind: 3, count: 0, body: 4), .badSize(.endOfRound, count: 0, bodyBytes: 4)),
            (header(chunk: 1), .wrongChunk(1)),
            (header(chunk: .max), .wrongChunk(.max)),
        ]
        for (bytes, error) in cases {
            #expect(throws: WireEnd.frame(error)) {
                try decode(bytes, with: decoder(Pages(128)))
            }
        }
    }

    @Test func `A chunk on the wrong stream is refused`() {
        #expect(throws: WireEnd.frame(.wrongChunk(1))) {
            try decode(
                header(chunk: 1), with: decoder(Pages(2048), stream: 0, streams: 2))
        }
    }

    @Test func `Pages outside the chunk, the memory, or out of order are refused`() {
        func wire(_ pages: [UInt16]) -> [UInt8] {
            var bytes = header(count: UInt16(pages.count), body: UInt32(64 + pages.count * 4096))
            for place in 0..<32 {
                let page = place < pages.count ? pages[place] : 0
                bytes += [UInt8(page & 255), UInt8(page >> 8)]
            }
            return bytes + [UInt8](repeating: 1, count: pages.count * 4096)
        }
        for pages: [UInt16] in [[512], [128], [65535], [5, 5], [6, 5], [5, 200]] {
            #expect(throws: WireEnd.frame(.badPages(chunk: 0)), "\(pages)") {
                try decode(wire(pages), with: decoder(Pages(128)))
            }
        }
        for range: [UInt8] in [
            [0, 0, 0, 0], [0, 0, 129, 0], [255, 255, 1, 0], [1, 0, 255, 255],
        ] {
            let bytes = header(kind: 1, count: 1, body: 4) + range
            #expect(throws: WireEnd.frame(.badPages(chunk: 0)), "\(range)") {
                try decode(bytes, with: decoder(Pages(128)))
            }
        }
    }
}
