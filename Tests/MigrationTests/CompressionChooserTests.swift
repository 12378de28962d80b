// The choice of encoding, from made-up costs.

import Migration
import Model
import PageCodec
import Testing

@Suite("Compression chooser")
struct CompressionChooserTests {
    /// Feeds a chooser chunks of 512 pages; returns how many pages each encoding got.
    private func run(
        _ chooser: inout CompressionChooser, pages: Int, _ cost: (BlockEncoding) -> Double
    ) -> [BlockEncoding: Int] {
        var used: [BlockEncoding: Int] = [:]
        for _ in 0..<(pages / 512) {
            used[chooser.encoding, default: 0] += 512
            chooser.recordCost(contentPages: 512, nanoseconds: cost(chooser.encoding) * 512)
        }
        return used
    }

    @Test(arguments: [BlockEncoding.raw, .lz4, .zstd])
    func `The quickest is found and kept, and trials cost little`(_ best: BlockEncoding) {
        var chooser = CompressionChooser(.auto)
        let used = run(&chooser, pages: 200_000) { $0 == best ? 3000 : 9000 }
        #expect(chooser.encoding == best)
        #expect(used[best, default: 0] > 180_000)
    }

    @Test func `A link that becomes slow makes it choose again`() {
        var chooser = CompressionChooser(.auto)
        _ = run(&chooser, pages: 20_000) { $0 == .raw ? 3000 : 5000 }
        #expect(chooser.encoding == .raw)
        _ = run(&chooser, pages: 100_000) { $0 == .raw ? 40_000 : $0 == .lz4 ? 16_000 : 10_000 }
        #expect(chooser.encoding == .zstd)
    }

    @Test func `An encoding that was asked for is kept whatever it costs`() {
        for (compression, encoding): (Compression, BlockEncoding) in [
            (.none, .raw), (.lz4, .lz4), (.zstd, .zstd), (.zlib, .zlib),
        ] {
            var chooser = CompressionChooser(compression)
            let used = run(&chooser, pages: 100_000) { _ in 1e9 }
            #expect(used == [encoding: used[encoding, default: 0]])
        }
    }
}
