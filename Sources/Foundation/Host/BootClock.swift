// Time that goes on while the machine is suspended, for leases: they end then, too.

import Glibc

package enum BootClock {
    /// Since the machine booted (CLOCK_BOOTTIME).
    package static var now: Duration {
        var time = timespec()
        _ = unsafe clock_gettime(CLOCK_BOOTTIME, &time)
        return .seconds(Int64(time.tv_sec)) + .nanoseconds(Int64(time.tv_nsec))
    }

    /// Milliseconds since 1970, by the calendar's clock.
    package static var wallMilliseconds: Int64 {
        var time = timespec()
        _ = unsafe clock_gettime(CLOCK_REALTIME, &time)
        return Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000
    }
}
