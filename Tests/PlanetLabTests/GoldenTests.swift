// The published experiment, digit by digit.

import PlanetLab
import Testing

@Suite("Published figures", .enabled(if: RealDays.areHere, RealDays.whyNot))
struct GoldenTests {
    @Test(arguments: GoldenRow.all)
    func `Every printed figure is the published one`(row: GoldenRow) throws {
        let day = try RealDays.day(row.day)
        let policy = try PlanetLabPolicy(name: row.policy)
        #expect(day.vmNames.count == row.vms)
        let result = try PlanetLabExperiment(day: day, policy: policy, modes: [.cloudSim]).run()
        #expect(result.runs[0].publishedRow == row.figures)
        #expect(result.runs[0].energyKWh > result.runs[0].energyBoundKWh)
    }

    @Test func `All rows of the table are there`() {
        #expect(GoldenRow.all.count == 17)
        #expect(GoldenRow.all.allSatisfy { $0.figures.count == 12 })
    }

    @Test(arguments: [
        ("20110303", false, "95.36"), ("20110303", true, "114.16"), ("20110306", false, "70.81"),
        ("20110309", false, "79.92"),
    ])
    func `The bound on energy is the published one`(
        name: String, keepsIdleVMs: Bool, expected: String
    ) throws {
        let bound = PlanetLabBound.kWh(try RealDays.day(name), keepsIdleVMs: keepsIdleVMs)
        #expect(String(describing: (bound * 100).rounded() / 100) == expected)
    }
}
