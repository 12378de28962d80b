// What happened in runs, counted: to see that the scenarios reach what they are meant to reach.

import Migration

package struct Tally: Sendable {
    package private(set) var counts: [String: Int] = [:]
    /// From an accepted cancel to the migration's end.
    package var cancelDurations: [Duration] = []

    package init() {}

    mutating func count(_ name: String) { counts[name, default: 0] += 1 }

    mutating func count(_ failure: MigrationFailure) {
        let reason = "\(failure.reason)".prefix { $0 != ":" && $0 != ";" }.prefix(50)
        let end =
            switch failure.aftermath {
            case .runsAtSource: "runs at its source"
            case .stoppedAtSource: "stopped at its source"
            case .unresolved: "unsettled"
            }
        count("failed, \(end)")
        count("  because: \(reason)")
    }

    package mutating func add(_ other: Tally) {
        for (name, count) in other.counts { counts[name, default: 0] += count }
        cancelDurations += other.cancelDurations
    }

    package func slowestCancel(_ share: Double) -> Duration {
        let sorted = cancelDurations.sorted()
        guard !sorted.isEmpty else { return .zero }
        return sorted[min(sorted.count - 1, Int(Double(sorted.count) * share))]
    }
}
