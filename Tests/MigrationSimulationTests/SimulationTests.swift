// Migrations in virtual time: whatever goes wrong, one owner, and every seed tells the same story twice.
//
// FERRY_SIM_SEED=n runs one seed and prints what happened; FERRY_SIM_RUNS=n runs so many, from FERRY_SIM_FIRST on.

import Foundation
import MigrationSimulation
import Model
import Testing

private func setting(_ name: String) -> UInt64? {
    ProcessInfo.processInfo.environment[name].flatMap { UInt64($0) }
}

@Suite("Simulated migrations", .serialized)
struct SimulationTests {
    @Test func `Whatever goes wrong, there is one owner, and it runs with every page right`() throws
    {
        if let seed = setting("FERRY_SIM_SEED") { return try replay(seed) }
        let first = setting("FERRY_SIM_FIRST") ?? 0
        let runs = setting("FERRY_SIM_RUNS") ?? 500
        var sum = Sum()
        for seed in first..<(first + runs) {
            let result = try Simulation.run(Scenario(seed: seed))
            sum.add(result)
            if let failure = result.failure {
                Issue.record("seed \(seed) (FERRY_SIM_SEED=\(seed) shows all of it): \(failure)")
            }
        }
        print(sum.text)
        #expect(Simulation.leftOver == 0)
        guard first == 0, runs >= 500 else { return }
        for event in mustHappen {
            #expect(sum.tally.counts[event, default: 0] > 0, "no scenario led to: \(event)")
        }
    }

    private func replay(_ seed: UInt64) throws {
        let result = try Simulation.run(Scenario(seed: seed), isReadable: true)
        for line in result.trace { print(line) }
        #expect(result.failure == nil)
    }

    @Test func `The same seed tells the same story, step by step`() throws {
        for seed: UInt64 in 0..<20 {
            let first = try Simulation.run(Scenario(seed: seed), isReadable: true)
            let second = try Simulation.run(Scenario(seed: seed), isReadable: true)
            #expect(first.hash == second.hash && first.trace == second.trace, "seed \(seed)")
        }
    }

    @Test(arguments: Plant.allCases.filter { $0 != .none })
    func `A planted bug is found`(_ plant: Plant) throws {
        for seed in 0..<plant.seedsMax {
            if try Simulation.run(Scenario(seed: seed), plant: plant).failure != nil {
                return print("\(plant): found by seed \(seed)")
            }
        }
        Issue.record("\(plant) was not found in \(plant.seedsMax) seeds")
    }
}

/// What scenarios are for: if none leads there any more, they are too tame.
private let mustHappen = [
    "arrived", "cancelled", "failed, runs at its source",
    "failed, unsettled", "parked", "went on after a loss", "rehearsed",
    "stopped in good order", "settled: handed over", "settled: taken back",
]

extension Plant {
    fileprivate var seedsMax: UInt64 { 3000 }
}

private struct Sum {
    private let start = ContinuousClock.now
    private(set) var tally = Tally()
    private var migrations = 0
    private var steps = 0
    private var hash: UInt64 = 0

    mutating func add(_ result: RunResult) {
        tally.add(result.tally)
        migrations += result.migrations
        steps += result.steps
        hash = hash &* 31 &+ result.hash
    }

    var text: String {
        let seconds = (ContinuousClock.now - start).seconds
        let perMinute = Int(Double(migrations) / seconds * 60)
        let counts = tally.counts.sorted { $0.key < $1.key }.map { "  \($0.key): \($0.value)" }
        return """
            \(migrations) migrations, \(steps) steps in \(seconds) s: \(perMinute) migrations a minute
            hash \(String(hash, radix: 16))
            \(counts.joined(separator: "\n"))
              cancel to end: median \(tally.slowestCancel(0.5)), p99 \(tally.slowestCancel(0.99)), \
            most \(tally.slowestCancel(1))
            """
    }
}
