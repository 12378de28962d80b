/// Spreads work evenly over time: says how many items are due now. One that was paused or starved
/// catches up with no more than one period's worth.
struct Pacer {
    private var rate: UInt64 = 0
    private var interval: UInt64 = 0
    private var next: UInt64 = 0

    /// Changes the pace, in items a second; all times are clock ticks.
    mutating func changeRate(to rate: UInt64, now: UInt64, kilohertz: UInt64) {
        guard rate != self.rate else { return }
        self.rate = rate
        interval = rate == 0 ? 0 : kilohertz * 1000 / rate
        next = now + interval
    }

    /// Whether an item is due; the caller then does it.
    mutating func claimDueItem(now: UInt64, period: UInt64) -> Bool {
        guard rate > 0, next <= now else { return false }
        if now - next > period { next = now - period }
        next += interval
        return true
    }
}
