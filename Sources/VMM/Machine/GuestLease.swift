// Until when a leased guest may run. Its host holds a lease of its controller; when that ends unrenewed, somebody may
// start the VM elsewhere, and nothing of it may run here any more: whatever became of the agent, whatever clock was
// set, however long this process stood still.
//
//   no lease yet ──extend──▶ until t ──extend──▶ until t' > t ──▶ ended, for good
//
// The deadline is one word, so that a vCPU can look at it before each entry to the guest: that is what holds a guest
// whose process was stopped past its deadline, before the thread "lease" gets to end it.

package import Host
import Synchronization

package final class GuestLease: Sendable {
    package enum Extension: Hashable, Sendable {
        case done
        case hasEnded
    }

    /// False: the guest runs without any.
    let isNeeded: Bool
    /// Nanoseconds of CLOCK_BOOTTIME; 0 before the first.
    private let end = Atomic<UInt64>(0)

    package init(isNeeded: Bool) { self.isNeeded = isNeeded }

    package var until: BootInstant? {
        let end = end.load(ordering: .acquiring)
        return end == 0 ? nil : BootInstant(nanoseconds: end)
    }

    package var allowsRunning: Bool {
        !isNeeded || BootInstant.now.nanoseconds < end.load(ordering: .acquiring)
    }

    package var hasEnded: Bool { until.map { BootInstant.now >= $0 } ?? false }

    /// Makes it longer, never shorter.
    package func extendDeadline(to new: BootInstant) -> Extension {
        var current = end.load(ordering: .acquiring)
        while true {
            if current != 0, BootInstant.now.nanoseconds >= current { return .hasEnded }
            if new.nanoseconds <= current { return .done }
            let (isExchanged, original) = end.compareExchange(
                expected: current, desired: new.nanoseconds, ordering: .acquiringAndReleasing)
            if isExchanged { return .done }
            current = original
        }
    }

    /// Returns when it has ended, as it was extended meanwhile; `isAwaited` is asked now and then. Blocks.
    func waitForEnd(while isAwaited: () -> Bool) {
        while let until, BootInstant.now < until, isAwaited() {
            BootInstant.sleepThread(until: min(until, .now + Limits.leaseWatchPause))
        }
    }
}
