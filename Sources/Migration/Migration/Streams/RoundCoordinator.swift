// The state that a source's control thread and stream threads share.

import Host
import Model
import PageCodec
import PeerLink
import Synchronization

/// The totals of a stream, as its thread last reported them.
struct StreamReport: Sendable {
    var counts = EncoderCounts()
    var digest = MemoryDigest.empty
    var encoding = BlockEncoding.raw
}

/// One round as a stream receives it.
struct RoundOrder: Sendable {
    let round: Int
    /// Of these streams. Holes are searched only in the first round.
    let isFirst: Bool
    let isLast: Bool
}

/// Shared by the threads of one source. Counters that change often are atomics; the rest is behind a lock.
final class RoundCoordinator: Sendable {
    private struct State {
        /// The number of streams that have ended the current round.
        var done = 0
        var reports: [StreamReport]
        var failure: LinkError?
    }

    /// Chunks below this one may be sent: their part of the dirty log has been cleared.
    let openChunks = Atomic<Int>(0)
    let wireBytes = Atomic<Int>(0)
    /// Pages of the current round that have been processed.
    let handledPages = Atomic<Int>(0)
    /// `news` is set when this many pages have been processed.
    private let wantedPages = Atomic<Int>(.max)
    let isStopped = Atomic<Bool>(false)
    private let state: Mutex<State>
    /// Set when a round is done, the requested number of pages is processed, or a stream failed.
    let news: any WakeFlag

    init(streams: Int, news: any WakeFlag) {
        state = Mutex(State(reports: Array(repeating: StreamReport(), count: streams)))
        self.news = news
    }

    /// A stream has processed pages.
    func recordHandledPages(count pages: Int) {
        let now = handledPages.add(pages, ordering: .relaxed).newValue
        if now >= wantedPages.load(ordering: .relaxed) {
            wantedPages.store(.max, ordering: .relaxed)
            news.setFlag()
        }
    }

    /// True if this many pages are processed; otherwise `news` is set as soon as they are.
    func hasHandledPages(count pages: Int) -> Bool {
        wantedPages.store(pages, ordering: .relaxed)
        return handledPages.load(ordering: .relaxed) >= pages
    }

    func beginRound() {
        state.withLock { $0.done = 0 }
        openChunks.store(0, ordering: .releasing)
        handledPages.store(0, ordering: .relaxed)
    }

    func recordRoundEnd(ofStream stream: Int, report: StreamReport) {
        let isLast = state.withLock {
            $0.reports[stream] = report
            $0.done += 1
            return $0.done == $0.reports.count
        }
        if isLast { news.setFlag() }
    }

    func recordFailure(ofStream stream: Int, report: StreamReport, error: LinkError) {
        state.withLock {
            $0.reports[stream] = report
            $0.failure = $0.failure ?? error
        }
        news.setFlag()
    }

    var isRoundDone: Bool { state.withLock { $0.done == $0.reports.count } }
    var failure: LinkError? { state.withLock { $0.failure } }
    var reports: [StreamReport] { state.withLock { $0.reports } }
}
