// What each questionable rule of the published experiment does to its figures: one switch at a time.

import PlanetLab
import Testing
import Traces

@Suite("Rules turned one by one", .enabled(if: RealDays.areHere, RealDays.whyNot))
struct AblationTests {
    struct Row: Sendable, CustomTestStringConvertible {
        var policy: String
        var change: String
        var turn: @Sendable (inout PlanetLabRules) -> Void
        /// Energy, migrations, SLAV.
        var figures: [String]

        var testDescription: String { "\(policy), \(change)" }
    }

    static let rows = [
        Row(
            policy: "thr-mmt-0.8", change: "as released", turn: { _ in },
            figures: ["191.73", "26634", "0.00324"]),
        Row(
            policy: "dvfs", change: "VMs kept", turn: { $0.deletesIdleVMs = false },
            figures: ["928.00", "0", "0.00000"]),
        Row(
            policy: "thr-mmt-0.8", change: "idle power charged",
            turn: { $0.chargesIdlePowerOfTargets = true },
            figures: ["129.33", "21752", "0.00237"]),
        Row(
            policy: "lr-mmt-1.2", change: "idle power charged",
            turn: { $0.chargesIdlePowerOfTargets = true },
            figures: ["123.05", "10736", "0.00124"]),
        Row(
            policy: "thr-mmt-0.8", change: "VMs kept", turn: { $0.deletesIdleVMs = false },
            figures: ["253.64", "41589", "0.00332"]),
        Row(
            policy: "thr-mmt-0.8", change: "memory enforced", turn: { $0.enforcesMemory = true },
            figures: ["443.24", "1105", "0.00000"]),
        Row(
            policy: "thr-mmt-0.8", change: "memory enforced, VMs kept",
            turn: {
                $0.enforcesMemory = true
                $0.deletesIdleVMs = false
            }, figures: ["880.37", "561", "0.00000"]),
        Row(
            policy: "thr-mmt-0.8", change: "memory enforced, VMs kept, idle power charged",
            turn: {
                $0.enforcesMemory = true
                $0.deletesIdleVMs = false
                $0.chargesIdlePowerOfTargets = true
            }, figures: ["750.61", "184", "0.00000"]),
    ]

    @Test(arguments: rows)
    func `Energy, migrations and SLAV are as another program found them`(row: Row) throws {
        let experiment = PlanetLabExperiment(
            day: try RealDays.day("20110303"), policy: try PlanetLabPolicy(name: row.policy),
            modes: [])
        var rules = PlanetLabRules()
        row.turn(&rules)
        let figures = try experiment.computeFigures(named: row.change, under: rules)
        #expect(Array(figures.publishedRow.prefix(3)) == row.figures)
    }
}
