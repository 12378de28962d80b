// Chooses the fastest encoding for a stream from its measurements.
//
// The criterion is the stream's time per page: compressing, encrypting and waiting for the link together. Each encoding
// is tried on a sample of real pages; the fastest is used, and the others are tried again after a while, because memory
// differs between regions and links change. This needs no model of CPU or link. The cost is an occasional sample in the
// slower encodings.
//
// A trial has two parts. Because of socket buffers every encoding looks fast at first, and one that follows a slow one
// looks even faster, so the first part is not measured; but an encoding that is much slower even then is dropped at
// once.

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
    /// Nanoseconds per page of the encodings that were measured.
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

    /// Records the cost of a sample of pages with the current encoding.
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

    /// Starts the next trial, or uses the fastest for a while.
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
