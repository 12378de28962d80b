// What this controller knows of the migration that a VM's record orders, from the order to the source's last report.
//
//   ordered ──────────────▶ ended        the source said how it ended
//      ├──▶ refused ──────▶ ended        the source did not take the order; it may have taken it before
//      └──▶ arrived ──────▶ ended        the destination owns the VM; the source's figures are missing
//
// A migration that came to nothing by a refusal or by the source's report is over only when the source's ledger has
// confirmed it in a later heartbeat: `doubtedSince` counts from the first look.

import API

enum MigrationProgress {
    /// - isFresh: this controller made the order, and every answer to it came.
    /// - isCancelSent: the source was told to stop.
    case ordered(isFresh: Bool, isCancelSent: Bool)
    case refused(reason: String, doubtedSince: Int?)
    /// - isAsked: the source was asked for its figures.
    /// - since: the first time that the source answered without figures.
    case arrived(isAsked: Bool, since: Duration?)
    case ended(MigrationInfo, doubtedSince: Int?)

    /// An order that an earlier controller made, or none.
    static let unknown = MigrationProgress.ordered(isFresh: false, isCancelSent: false)
    /// An order that this controller makes now.
    static let fresh = MigrationProgress.ordered(isFresh: true, isCancelSent: false)

    var endedInfo: MigrationInfo? {
        if case .ended(let info, _) = self { info } else { nil }
    }

    var refusal: String? {
        if case .refused(let reason, _) = self { reason } else { nil }
    }

    /// Whether a refusal is the end of it.
    var isFresh: Bool {
        if case .ordered(true, _) = self { true } else { false }
    }

    var isCancelSent: Bool {
        if case .ordered(_, true) = self { true } else { false }
    }

    mutating func recordEnd(with info: MigrationInfo) {
        switch self {
        case .refused(_, let since), .ended(_, let since):
            self = .ended(info, doubtedSince: since)
        case .ordered, .arrived: self = .ended(info, doubtedSince: nil)
        }
    }

    mutating func recordRefusal(reason: String) {
        if case .ordered = self { self = .refused(reason: reason, doubtedSince: nil) }
    }

    /// The answer to the order was lost.
    mutating func recordLostAnswer() {
        if case .ordered(_, let isCancelSent) = self {
            self = .ordered(isFresh: false, isCancelSent: isCancelSent)
        }
    }

    mutating func markCancel(sent isSent: Bool) {
        if case .ordered(let isFresh, _) = self {
            self = .ordered(isFresh: isFresh, isCancelSent: isSent)
        }
    }

    /// The destination owns the VM.
    /// - Returns: whether the source's figures are still to be asked for.
    mutating func recordArrival() -> Bool {
        switch self {
        case .ended: return false
        case .arrived(let isAsked, _): return !isAsked
        case .ordered, .refused:
            self = .arrived(isAsked: false, since: nil)
            return true
        }
    }

    mutating func markFiguresAsked() {
        if case .arrived(_, let since) = self { self = .arrived(isAsked: true, since: since) }
    }

    /// The source answered, and is not ready with its figures.
    /// - Returns: whether it is asked once more.
    mutating func retryFigures(at now: Duration) -> Bool {
        let first: Duration
        switch self {
        case .arrived(_, let since): first = since ?? now
        case .ordered, .refused: first = now
        case .ended: return false
        }
        let isInTime = now - first < Limits.figuresAwaitedMax
        self = .arrived(isAsked: !isInTime, since: first)
        return isInTime
    }

    /// The first heartbeat count at which the end was in doubt, which may have begun again at 0 since.
    mutating func recordDoubt(atHeartbeat count: Int) -> Int {
        switch self {
        case .refused(let reason, let known):
            let since = min(known ?? count, count)
            self = .refused(reason: reason, doubtedSince: since)
            return since
        case .ended(let info, let known):
            let since = min(known ?? count, count)
            self = .ended(info, doubtedSince: since)
            return since
        case .ordered, .arrived: return count
        }
    }

    /// The destination does not own the VM after all: a forced takeover gave it back to the source.
    mutating func recordReturn() {
        if case .arrived = self { self = .unknown }
    }
}
