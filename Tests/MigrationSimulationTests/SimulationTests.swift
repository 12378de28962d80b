// Migrations in virtual time: whatever goes wrong, one owner, and every seed tells the same story twice.
//
// FERRY_SIM_SEED=n runs one seed and prints what happened; FERRY_SIM_RUNS=n runs so many.

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
        if let seed = setting("FERRY_SIM_SEED") {
            let result = try Simulation.run(Scenario(seed: seed), isReadable: true)
            for line in result.trace { print(line) }
            #expect(result.failure == nil)
            return
        }
        var tally = Tally()
        var migrations = 0
        let start = ContinuousClock.now
        let runs = setting("FERRY_SIM_RUNS") ?? 500
        for seed in 0..<runs {
            let result = try Simulation.run(Scenario(seed: seed))
            tally.add(result.tally)
            migrations += result.migrations
            if let failure = result.failure {
                Issue.record("seed \(seed): \(failure)")
            }
        }
        let seconds = (ContinuousClock.now - start).seconds
        print(
            "\(migrations) migrations in \(seconds) s, \(Int(Double(migrations) / seconds * 60)) a minute"
        )
        for (name, count) in tally.counts.sorted(by: { $0.key < $1.key }) {
            print("  \(name): \(count)")
        }
        print("  cancel p99 \(tally.slowestCancel(0.99)), most \(tally.slowestCancel(1))")
    }
}
