// Times that never jump, for measuring. State machines get it in their events.

import Glibc

/// A point in time of CLOCK_MONOTONIC.
package struct Instant: Hashable, Comparable, Sendable {
    package let nanoseconds: UInt64

    package init(nanoseconds: UInt64) { self.nanoseconds = nanoseconds }

    package static var now: Instant {
        var time = timespec()
        _ = unsafe clock_gettime(CLOCK_MONOTONIC, &time)
        return Instant(nanoseconds: UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec))
    }

    package static func < (left: Instant, right: Instant) -> Bool {
        left.nanoseconds < right.nanoseconds
    }

    package static func - (left: Instant, right: Instant) -> Duration {
        .nanoseconds(Int64(left.nanoseconds) - Int64(right.nanoseconds))
    }

    package static func + (left: Instant, right: Duration) -> Instant {
        let (seconds, attoseconds) = right.components
        let nanoseconds = seconds * 1_000_000_000 + attoseconds / 1_000_000_000
        return Instant(nanoseconds: UInt64(Int64(left.nanoseconds) + nanoseconds))
    }
}

/// A point in time of CLOCK_BOOTTIME: it goes on while the machine sleeps, and all its processes share it.
package struct BootInstant: Hashable, Comparable, Sendable {
    package let nanoseconds: UInt64

    package init(nanoseconds: UInt64) { self.nanoseconds = nanoseconds }

    package static var now: BootInstant {
        var time = timespec()
        _ = unsafe clock_gettime(CLOCK_BOOTTIME, &time)
        return BootInstant(nanoseconds: UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec))
    }

    package static func < (left: BootInstant, right: BootInstant) -> Bool {
        left.nanoseconds < right.nanoseconds
    }

    package static func - (left: BootInstant, right: BootInstant) -> Duration {
        .nanoseconds(Int64(clamping: left.nanoseconds) - Int64(clamping: right.nanoseconds))
    }

    package static func + (left: BootInstant, right: Duration) -> BootInstant {
        let (seconds, attoseconds) = right.components
        let nanoseconds = seconds * 1_000_000_000 + attoseconds / 1_000_000_000
        return BootInstant(nanoseconds: UInt64(Int64(left.nanoseconds) + nanoseconds))
    }

    /// Returns at that time or later, or earlier when a signal comes. Blocks.
    package static func sleepThread(until end: BootInstant) {
        var time = timespec(
            tv_sec: Int(end.nanoseconds / 1_000_000_000),
            tv_nsec: Int(end.nanoseconds % 1_000_000_000))
        _ = unsafe clock_nanosleep(CLOCK_BOOTTIME, TIMER_ABSTIME, &time, nil)
    }
}
