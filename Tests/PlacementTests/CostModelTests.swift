// The cost model follows pre-copy as it is, and its bounds hold the expected value between them.

import Model
import Placement
import Testing

@Suite("Migration cost")
struct CostModelTests {
    private func model(_ change: (inout MigrationCostModel) -> Void = { _ in })
        -> MigrationCostModel
    {
        var model = MigrationCostModel()
        model.engineBytesPerSecond = Double(gibibyte)
        model.fixedSeconds = 0.5
        model.fixedDowntime = 0.01
        model.uncertainty = 0.2
        change(&model)
        return model
    }

    private func guest(memory: Int, dirty: Double?, limit: DowntimeLimit = .milliseconds(50))
        -> PlacementVM
    {
        vm(1, memory: memory) {
            $0.dirtyBytesPerSecond = dirty
            $0.downtimeLimit = limit
        }
    }

    @Test func `An idle guest takes one round, its memory over the link, and the fixed pause`() {
        let prediction = model().predictMigration(
            of: guest(memory: 4, dirty: 0), linkBytesPerSecond: 1e12)
        #expect(prediction.rounds == 1)
        #expect(prediction.bytes.expected == 4 * gibibyte)
        #expect(prediction.duration.expected == .milliseconds(4510))
        #expect(prediction.downtime.expected == .milliseconds(10))
        #expect(!prediction.isThrottled && prediction.keepsDowntimeLimit)
    }

    @Test func `Rounds shrink by the ratio of dirty rate to bandwidth until the rest fits`() {
        // 8 GiB at 1 GiB/s, 1/8 GiB/s dirty: 8, 1, 1/8 GiB; then 1/64 GiB is left: 15.6 ms of the 40 that are free.
        let dirty = Double(gibibyte) / 8
        let prediction = model().predictMigration(
            of: guest(memory: 8, dirty: dirty), linkBytesPerSecond: 1e12)
        #expect(prediction.rounds == 3)
        #expect(prediction.bytes.expected == 9 * gibibyte + gibibyte / 8 + gibibyte / 64)
        #expect(prediction.downtime.expected == .nanoseconds(10_000_000 + 15_625_000))
    }

    @Test func `The slower of link and engine decides`() {
        let slow = model().predictMigration(
            of: guest(memory: 4, dirty: 0), linkBytesPerSecond: Double(gibibyte) / 2)
        #expect(slow.duration.expected == .milliseconds(8510))
        let fast = model { $0.engineBytesPerSecond = Double(4 * gibibyte) }.predictMigration(
            of: guest(memory: 4, dirty: 0), linkBytesPerSecond: Double(2 * gibibyte))
        #expect(fast.duration.expected == .milliseconds(2510))
    }

    @Test func `A guest that writes faster than the link carries is held back`() {
        let prediction = model().predictMigration(
            of: guest(memory: 8, dirty: Double(4 * gibibyte)), linkBytesPerSecond: 1e12)
        #expect(prediction.isThrottled)
        #expect(prediction.keepsDowntimeLimit)
        #expect(prediction.rounds > 2)
    }

    @Test func `Where holding back is not enough the prediction says so and ends`() {
        let prediction = model { $0.throttledShare = 1 }.predictMigration(
            of: guest(memory: 8, dirty: 1e12), linkBytesPerSecond: 1e12)
        #expect(prediction.isThrottled && !prediction.keepsDowntimeLimit)
        #expect(prediction.downtime.expected > .seconds(7))
    }

    @Test func `Terms without memory count against the limit`() {
        let prediction = model().predictMigration(
            of: guest(memory: 1, dirty: 0, limit: .milliseconds(5)), linkBytesPerSecond: 1e12)
        #expect(!prediction.keepsDowntimeLimit)
    }

    @Test(arguments: 0..<50 as Range<UInt64>)
    func `Bounds hold the expected value; more memory or a slower link never takes less`(
        seed: UInt64
    ) {
        var lots = SplitMix64(seed: seed)
        let memory = 1 + lots.drawNumber(below: 256)
        let dirty = 2e9 * lots.drawFraction() * lots.drawFraction()
        let link = 1e8 + 3e9 * lots.drawFraction()
        let one = model().predictMigration(
            of: guest(memory: memory, dirty: dirty), linkBytesPerSecond: link)
        #expect(one.duration.lower <= one.duration.expected)
        #expect(one.duration.expected <= one.duration.upper)
        #expect(one.downtime.lower <= one.downtime.expected)
        #expect(one.downtime.expected <= one.downtime.upper)
        #expect(one.bytes.lower <= one.bytes.expected && one.bytes.expected <= one.bytes.upper)
        let larger = model().predictMigration(
            of: guest(memory: memory * 2, dirty: 0), linkBytesPerSecond: link)
        let slower = model().predictMigration(
            of: guest(memory: memory, dirty: 0), linkBytesPerSecond: link / 2)
        let idle = model().predictMigration(
            of: guest(memory: memory, dirty: 0), linkBytesPerSecond: link)
        #expect(idle.duration.expected < larger.duration.expected)
        #expect(idle.duration.expected <= slower.duration.expected)
        #expect(idle.duration.expected <= one.duration.expected)
    }

    @Test func `No figure makes it trap`() {
        for dirty in [0, 1e-300, 1e300, .infinity] {
            for link in [0, 1e-300, 1e300] {
                let prediction = model().predictMigration(
                    of: guest(memory: 1 << 20, dirty: dirty), linkBytesPerSecond: link)
                #expect(prediction.rounds >= 1)
            }
        }
    }
}
