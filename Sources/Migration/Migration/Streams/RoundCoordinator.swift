// What the control thread and the stream threads of a source tell each other.

import Host
import Model
import PageCodec
import PeerLink
import Synchronization

/// What a stream did in all, as its thread last said.
struct StreamReport: Sendable {
    var counts = EncoderCounts()
    var digest = MemoryDigest.empty
    var encoding = BlockEncoding.raw
}

/// One round as a stream gets it.
struct RoundOrder: Sendable {
    let round: Int
    /// Of these streams. Holes are looked for only in the first.
    let isFirst: Bool
    let isLast: Bool
}

/// Shared by one source's threads. Counters that change all the time are atomics; the rest is behind a lock.
final class RoundCoordinator: Sendable {
    private struct State {
        /// Streams that ended the present round.
        var done = 0
        var reports: [StreamReport]
        var failure: LinkError?
    }

    /// Chunks below this one may be sent: their part of the dirty log has been cleared.
    let openChunks = Atomic<Int>(0)
    let wireBytes = Atomic<Int>(0)
    /// Pages of the present round that have been handled.
    let handledPages = Atomic<Int>(0)
    /// Set `news` when this many are handled.
    private let wantedPages = Atomic<Int>(.max)
    let isStopped = Atomic<Bool>(false)
    private let state: Mutex<State>
    /// Set when a round is done, the wanted pages are handled, or a stream failed.
    let news: any WakeFlag

    init(streams: Int, news: any WakeFlag) {
        state = Mutex(State(reports: Array(repeating: StreamReport(), count: streams)))
        self.news = news
    }

    /// A stream has handled pages.
    func recordHandledPages(count pages: Int) {
        let now = handledPages.add(pages, ordering: .relaxed).newValue
        if now >= wantedPages.load(ordering: .relaxed) {
            wantedPages.store(.max, ordering: .relaxed)
            news.setFlag()
        }
    }

    /// True when so many pages are handled; else `news` is set as soon as they are.
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
