// Which encoding makes a stream quickest, from what it measured.
//
// A stream's time a page is what counts: compressing, encrypting and waiting for the link together. Each
// encoding is tried on a stretch of real pages; the quickest is kept, and the others are tried again after a
// while, because memory differs from place to place and links change. No model of CPU or link is needed, and
// none can be wrong. The price is one stretch in the slower encodings now and then.

import Model
import PageCodec

/// The choice of one stream, for one thread.
struct CompressionChooser {
    private static let candidates: [BlockEncoding] = [.lz4, .raw, .zstd]

    private struct Score {
        var nanosecondsPerPage: Double?
        var pages = 0
        var nanoseconds = 0.0
    }

    private let isFixed: Bool
    private(set) var encoding: BlockEncoding
    private var scores: [BlockEncoding: Score] = [:]
    private var untried: [BlockEncoding] = []
    private var pagesSinceTrials = 0

    init(_ compression: Compression) {
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
    mutating func record(contentPages: Int, nanoseconds: Double) {
        guard !isFixed, contentPages > 0 else { return }
        var score = scores[encoding] ?? Score()
        score.pages += contentPages
        score.nanoseconds += nanoseconds
        pagesSinceTrials += contentPages
        let isJudged = score.pages >= Limits.trialPages
        if isJudged {
            score.nanosecondsPerPage = score.nanoseconds / Double(score.pages)
            score.pages = 0
            score.nanoseconds = 0
        }
        scores[encoding] = score
        if isJudged { choose() }
    }

    private mutating func choose() {
        if let next = untried.first {
            untried.removeFirst()
            encoding = next
            return
        }
        let judged = scores.compactMapValues(\.nanosecondsPerPage)
        encoding = judged.min { $0.value < $1.value }?.key ?? encoding
        if pagesSinceTrials >= Limits.retrialPages {
            pagesSinceTrials = 0
            // Not those that were far off.
            let best = judged[encoding] ?? 0
            untried = Self.candidates.filter {
                $0 != encoding && (judged[$0] ?? 0) < best * 3
            }
        }
    }
}
