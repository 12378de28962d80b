// A moment of simulated time: nanoseconds since the run began. No wall clock comes near it.

import Model

package struct SimTime: Hashable, Comparable, Sendable {
    package var nanoseconds: Int64

    package init(nanoseconds: Int64) { self.nanoseconds = nanoseconds }

    /// Saturates at the ends; what is not a number is the start.
    package init(seconds: Double) {
        let scaled = (seconds * 1e9).rounded()
        nanoseconds = scaled.isNaN ? 0 : Int64(clamping: scaled)
    }

    package static let start = SimTime(nanoseconds: 0)
    /// Later than everything that happens.
    package static let never = SimTime(nanoseconds: .max)

    package var seconds: Double { Double(nanoseconds) / 1e9 }

    package static func < (left: SimTime, right: SimTime) -> Bool {
        left.nanoseconds < right.nanoseconds
    }

    /// Saturates: what begins at the end of time never ends.
    package static func + (time: SimTime, delay: Duration) -> SimTime {
        let (sum, overflow) = time.nanoseconds.addingReportingOverflow(delay.wholeNanoseconds)
        return overflow ? .never : SimTime(nanoseconds: sum)
    }

    package static func - (later: SimTime, earlier: SimTime) -> Duration {
        .nanoseconds(later.nanoseconds - earlier.nanoseconds)
    }
}

extension Int64 {
    fileprivate init(clamping value: Double) {
        self = value >= 0x1p63 ? .max : value <= -0x1p63 ? .min : Int64(value)
    }
}
