/// What a page holds: a pure function of seed, kind of content, page number and version, so that
/// any CPU can tell at any time what any page must hold, also after the page has moved to another
/// host.
///
/// A page that is not zero opens with page number, version and a checksum of the rest, for whoever
/// looks at a dump.
struct Content {
    enum Kind {
        case zero, text, random, mixed
    }

    typealias Page = UnsafeMutablePointer<UInt64>

    static let words = 512
    private static let headerWords = 3

    let kind: Kind
    let seed: UInt64
    let dictionary: Dictionary

    /// Writes what the page holds at this version to `scratch`, which has room for 128 bytes more
    /// than a page: text overshoots.
    func renderPage(number page: UInt64, version: UInt32, to scratch: Page) {
        let start = Content.scrambleBits(seed ^ Content.scrambleBits(page << 32 ^ UInt64(version)))
        switch contentKind(ofPage: page) {
        case .text: renderText(from: start, to: scratch)
        case .random: Content.renderRandom(from: start, to: scratch)
        default:
            scratch.update(repeating: 0, count: Content.words)
            return
        }
        scratch[0] = page
        scratch[1] = UInt64(version)
        scratch[2] = Content.pageChecksum(of: scratch)
    }

    /// Mixed: a quarter zero, half text, a quarter random.
    private func contentKind(ofPage page: UInt64) -> Kind {
        guard kind == .mixed else { return kind }
        switch Content.scrambleBits(page) >> 62 {
        case 0: return .zero
        case 1: return .random
        default: return .text
        }
    }

    /// Each draw yields four words, and now and then a number that ends the line. A word is one
    /// store of 16 bytes of which the next word overwrites what was too much.
    private func renderText(from start: UInt64, to scratch: Page) {
        let bytes = UnsafeMutableRawPointer(scratch)
        var offset = Content.headerWords * 8
        var state = start
        var place: UInt64 = 0
        while offset < Content.words * 8 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            var draw = state ^ state >> 32
            for _ in 0..<4 {
                place = dictionary.nextPlace(after: place, draw: draw)
                let entry = dictionary[place]
                bytes.storeBytes(of: entry, toByteOffset: offset, as: SIMD2<UInt64>.self)
                offset &+= Int(truncatingIfNeeded: entry.y >> 56)
                draw >>= 12
            }
            if draw & 15 == 0 {
                let digits = state >> 8 & 0x0707_0707 | 0x0a_3030_3030
                bytes.storeBytes(of: digits, toByteOffset: offset, as: UInt64.self)
                offset &+= 5
            }
        }
    }

    private static func renderRandom(from start: UInt64, to scratch: Page) {
        var state = start
        for index in headerWords..<words {
            state = state &+ 0x9e37_79b9_7f4a_7c15
            let (high, low) = state.multipliedFullWidth(by: state ^ 0xe703_7ed1_a0b4_28db)
            scratch[index] = high ^ low
        }
    }

    /// Sums and sums of sums (Fletcher): moved, lost and changed words all show.
    private static func pageChecksum(of page: Page) -> UInt64 {
        var sum = SIMD2<UInt64>(page[0], page[1])
        var sumOfSums = SIMD2<UInt64>(page[3], 0)
        let pairs = UnsafeRawPointer(page + 4)
        for index in 0..<(words - 4) / 2 {
            sum &+= pairs.load(fromByteOffset: index &* 16, as: SIMD2<UInt64>.self)
            sumOfSums &+= sum
        }
        return scrambleBits(
            sum.x ^ scrambleBits(sum.y ^ scrambleBits(sumOfSums.x ^ scrambleBits(sumOfSums.y))))
    }

    /// The offset in bytes of the first word that differs, if one does.
    static func firstDifference(in page: Page, expected: Page) -> UInt64? {
        var difference = SIMD4<UInt64>()
        let left = UnsafeRawPointer(page)
        let right = UnsafeRawPointer(expected)
        for offset in stride(from: 0, to: words * 8, by: 32) {
            difference |=
                left.load(fromByteOffset: offset, as: SIMD4<UInt64>.self)
                ^ right.load(fromByteOffset: offset, as: SIMD4<UInt64>.self)
        }
        guard difference != SIMD4<UInt64>() else { return nil }
        for index in 0..<words where page[index] != expected[index] { return UInt64(index) * 8 }
        return nil
    }

    static func copyPage(from scratch: Page, to page: Page) {
        page.update(from: scratch, count: words)
    }

    /// The finisher of SplitMix64: every bit of the argument reaches every bit of the result.
    static func scrambleBits(_ value: UInt64) -> UInt64 {
        var mixed = value &+ 0x9e37_79b9_7f4a_7c15
        mixed = (mixed ^ mixed >> 30) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ mixed >> 27) &* 0x94d0_49bb_1331_11eb
        return mixed ^ mixed >> 31
    }
}
