// What a live migration costs: rounds, bytes, seconds and downtime, predicted before it is tried.
//
// Pre-copy, followed round by round: the first round sends the memory; each next one what was written meanwhile,
//
//   bytes(0) = memory · filled        seconds(i) = bytes(i) / bandwidth
//   bytes(i+1) = min(dirty rate · seconds(i), memory)
//
// until what is left fits the downtime limit. A guest that writes faster than the link carries is held back as the
// engine does it: its dirty rate falls to `throttledShare` of what it was. The pause is the last bytes and the fixed
// terms. The bounds are the same computation with a faster and a slower link, a calmer and a busier guest.

import Model

/// What a migration engine and its links can do. Controllers fit these to what their own migrations took.
package struct MigrationCostModel: Hashable, Sendable {
    /// What the engine itself can send in a second, whatever the link.
    package var engineBytesPerSecond = 0.8e9
    /// Share of a guest's memory that is sent at all: zero pages are not.
    package var filledShare = 1.0
    /// Assumed for a guest that was never measured, for each byte of its memory in a second.
    package var assumedDirtyShare = 0.002
    /// Seconds that do not depend on the guest: connect, negotiate, clean up.
    package var fixedSeconds = 0.25
    /// The pause without any memory: state, verify, two durable records, resume.
    package var fixedDowntime = 0.006
    /// What is left of a guest's dirty rate when its vCPUs are held back most.
    package var throttledShare = 0.05
    /// How far link and guest may be from what is assumed, for the bounds.
    package var uncertainty = 0.25

    package init() {}
}

/// An expected value between its bounds.
package struct Predicted<Value: Comparable & Hashable & Sendable>: Hashable, Sendable {
    package var lower: Value
    package var expected: Value
    package var upper: Value

    init(_ values: [Value], expected: Value) {
        self.expected = expected
        lower = values.reduce(expected, min)
        upper = values.reduce(expected, max)
    }
}

/// What one migration is expected to take.
package struct MigrationPrediction: Hashable, Sendable {
    package var rounds: Int
    package var bytes: Predicted<Int>
    package var duration: Predicted<Duration>
    package var downtime: Predicted<Duration>
    /// Whether it gets under the downtime limit only by holding the guest back.
    package var isThrottled: Bool
    /// Whether the expected pause is within the VM's limit.
    package var keepsDowntimeLimit: Bool
}

extension MigrationCostModel {
    private struct PrecopyEstimate {
        var rounds = 0
        var bytes = 0.0
        var seconds: Double
        var downtime: Double
        var isThrottled = false
    }

    /// - Parameters:
    ///   - linkBytesPerSecond: what this migration gets of the slower of both hosts' links.
    package func predictMigration(
        of vm: PlacementVM, linkBytesPerSecond: Double
    ) -> MigrationPrediction {
        let expected = estimatePrecopy(of: vm, linkSpeed: linkBytesPerSecond, slowdown: 1)
        let others = [1 - uncertainty, 1 + uncertainty].map {
            estimatePrecopy(of: vm, linkSpeed: linkBytesPerSecond, slowdown: $0)
        }
        return MigrationPrediction(
            rounds: expected.rounds,
            bytes: Predicted(
                others.map { Int(clamping: $0.bytes) }, expected: Int(clamping: expected.bytes)),
            duration: Predicted(
                others.map { Self.clampedDuration(seconds: $0.seconds) },
                expected: Self.clampedDuration(seconds: expected.seconds)),
            downtime: Predicted(
                others.map { Self.clampedDuration(seconds: $0.downtime) },
                expected: Self.clampedDuration(seconds: expected.downtime)),
            isThrottled: expected.isThrottled,
            keepsDowntimeLimit: expected.downtime <= vm.downtimeLimit.duration.seconds)
    }

    /// Expected figures alone: the part that planners weigh for very many candidates.
    func expectedFigures(
        of vm: PlacementVM, linkBytesPerSecond: Double
    ) -> (seconds: Double, downtime: Double, bytes: Double) {
        let course = estimatePrecopy(of: vm, linkSpeed: linkBytesPerSecond, slowdown: 1)
        return (course.seconds, course.downtime, course.bytes)
    }

    private func estimatePrecopy(
        of vm: PlacementVM, linkSpeed link: Double, slowdown slower: Double
    ) -> PrecopyEstimate {
        let bandwidth = max(1, min(engineBytesPerSecond, link)) / slower
        let memory = Double(vm.request.memoryBytes) * filledShare
        var dirtyRate =
            (vm.dirtyBytesPerSecond ?? Double(vm.request.memoryBytes) * assumedDirtyShare) * slower
        let allowed = max(0, vm.downtimeLimit.duration.seconds - fixedDowntime) * bandwidth
        var course = PrecopyEstimate(seconds: fixedSeconds, downtime: fixedDowntime)
        var left = memory
        while course.rounds < Limits.roundsMax {
            course.rounds += 1
            course.bytes += left
            course.seconds += left / bandwidth
            let written = min(dirtyRate * left / bandwidth, memory)
            let shrinks = written < left * 0.9
            left = written
            if left <= allowed { break }
            if shrinks { continue }
            if course.isThrottled { break }
            course.isThrottled = true
            dirtyRate *= throttledShare
        }
        course.bytes += left
        course.downtime += left / bandwidth
        course.seconds += course.downtime
        return course
    }

    private static func clampedDuration(seconds: Double) -> Duration {
        .nanoseconds(Int64(clamping: seconds * 1e9))
    }
}

extension FixedWidthInteger {
    /// Rounds to the nearest, and to the ends where a number lies beyond them.
    fileprivate init(clamping value: Double) {
        let limit = Double(Self.max)
        self = value >= limit ? .max : value <= -limit ? .min : Self(value.rounded())
    }
}
