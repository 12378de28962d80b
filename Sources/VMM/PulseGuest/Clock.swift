/// Time, from the processor's time stamp counter alone: after a migration nothing has to be asked
/// again.
struct Clock {
    let kilohertz: UInt64
    private let origin: UInt64
    private var last: UInt64
    /// What a counter that jumped back lacks. Without it a destination that restores the counter
    /// too low would stop the guest's heart until the counter has caught up.
    private var lost: UInt64 = 0

    init(kilohertz: UInt64) {
        self.kilohertz = kilohertz
        origin = timestamp()
        last = 0
    }

    /// Ticks since the start; never runs backwards on the CPU that owns this clock.
    mutating func currentTicks() -> UInt64 {
        var ticks = timestamp() &- origin &+ lost
        if ticks < last || ticks >> 63 == 1 {
            lost &+= last &- ticks
            ticks = last
        }
        last = ticks
        return ticks
    }

    func tickCount(microseconds: UInt64) -> UInt64 {
        microseconds / 1000 * kilohertz + microseconds % 1000 * kilohertz / 1000
    }

    func microseconds(ticks: UInt64) -> UInt64 {
        ticks / kilohertz * 1000 + ticks % kilohertz * 1000 / kilohertz
    }
}
