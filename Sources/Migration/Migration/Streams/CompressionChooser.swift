// Which encoding makes a stream quickest, from what it measured.
//
// A stream's time a page is what counts: compressing, encrypting and waiting for the link together. Each
// encoding is tried on a stretch of real pages; the quickest is kept, and the others are tried again after a
// while, because memory differs from place to place and links change. No model of CPU or link is needed, and
// none can be wrong. The price is one stretch in the slower encodings now and then.
//
// A trial has two parts. What the sockets buffer makes any encoding look quick at first, and one that follows a
// slow one quicker still, so the first part is not judged; but an encoding that is far behind even then is
// dropped at once.

package import Model
package import PageCodec

/// The choice of one stream, for one thread.
package struct CompressionChooser: Sendable {
    private static let candidates: [BlockEncoding] = [.raw, .lz4, .zstd]

    private enum Part {
        case warmUp, judged, settled
    }

    private let isFixed: Bool
    package private(set) var encoding: BlockEncoding
    /// Nanoseconds a page, by encodings that were judged.
    private var costs: [BlockEncoding: Double] = [:]
    private var untried: [BlockEncoding] = []
    private var part = Part.warmUp
    private var pages = 0
    private var nanoseconds = 0.0

    package init(_ compression: Compression) {
        switch compression {
        case .none: (isFixed, encoding) = (true, .raw)
        case .lz4: (isFixed, encoding) = (true, .lz4)
        case .zstd: (isFixed, encoding) = (true, .zstd)
        case .zlib: (isFixed, encoding) = (true, .zlib)
        case .auto:
            (isFixed, encoding) = (false, Self.candidates[0])
            untried = Array(Self.candidates.dropFirst())
        }
    }

    /// Takes in what a stretch of pages cost with the present encoding.
    package mutating func recordCost(contentPages: Int, nanoseconds: Double) {
        guard !isFixed, contentPages > 0 else { return }
        pages += contentPages
        self.nanoseconds += nanoseconds
        let cost = self.nanoseconds / Double(pages)
        switch part {
        case .warmUp:
            guard pages >= Limits.warmUpPages else { return }
            if let best = costs.values.min(), cost > best * 1.5 {
                costs[encoding] = cost
                chooseNextEncoding()
            } else {
                beginPart(.judged)
            }
        case .judged:
            guard pages >= Limits.trialPages else { return }
            costs[encoding] = cost
            chooseNextEncoding()
        case .settled:
            guard pages >= Limits.retrialPages else { return }
            costs[encoding] = cost
            untried = Self.candidates.filter {
                $0 != encoding && (costs[$0] ?? 0) < cost * 3
            }
            chooseNextEncoding()
        }
    }

    /// The next trial, or the quickest for a while.
    private mutating func chooseNextEncoding() {
        if let next = untried.first {
            untried.removeFirst()
            encoding = next
            beginPart(.warmUp)
        } else {
            let judged = Self.candidates.filter { costs[$0] != nil }
            encoding = judged.min { costs[$0, default: 0] < costs[$1, default: 0] } ?? encoding
            beginPart(.settled)
        }
    }

    private mutating func beginPart(_ part: Part) {
        self.part = part
        pages = 0
        nanoseconds = 0
    }
}
