// Many scenarios one after another. A violation is told with everything that is known, its logs are kept, and the
// rest goes on with a fresh cluster.

import Foundation
import Host

package struct Campaign: Sendable {
    private let scenarios: [Scenario]
    private let say: @Sendable (String) -> Void

    /// - Parameter say: gets a line for each scenario.
    package init(_ scenarios: [Scenario], _ say: @escaping @Sendable (String) -> Void) {
        self.scenarios = scenarios
        self.say = say
    }

    /// Loopback and namespaces side by side: most of the time both wait. Ends early, with what was done, when its
    /// task is cancelled.
    package func run() async -> CampaignReport {
        async let loopback = run(at: .loopback)
        async let namespaces = run(at: .namespaces)
        var report = await loopback.joined(with: namespaces)
        report.isInterrupted = Task.isCancelled
        return report
    }

    private func run(at place: Place) async -> CampaignReport {
        var report = CampaignReport()
        let mine = scenarios.filter { $0.place == place }
        if mine.isEmpty { return report }
        if let problem = await FaultRig.problem(of: place) {
            report.skipped.append("\(mine.count) scenarios in \(place.rawValue): \(problem)")
            say("skipped: \(report.skipped.last ?? "")")
        } else {
            await run(mine, place, &report)
        }
        return report
    }

    private func run(
        _ scenarios: [Scenario], _ place: Place, _ report: inout CampaignReport
    ) async {
        var rig: FaultRig?
        for scenario in scenarios where !Task.isCancelled {
            if case .memoryLimit = scenario.fault, let problem = MemoryLimit.problem {
                report.skipped.append("\(scenario.name): \(problem)")
                continue
            }
            var row: Row
            do {
                let current = if let rig { rig } else { try await FaultRig.start(place) }
                rig = current
                row = try await current.run(scenario)
            } catch {
                row = Row(scenario: scenario)
                row.violations = ["it could not be run: \(error)"]
            }
            if Task.isCancelled { break }
            if !row.violations.isEmpty {
                // What comes next must not suffer from it.
                row.logs = await replace(rig, &row)
                rig = nil
            }
            report.rows.append(row)
            say("\(report.rows.count)/\(scenarios.count) \(row.line)")
            if let logs = row.logs { say("       logs: \(logs)") }
        }
        do { try await rig?.end() } catch { report.skipped.append("the end: \(error)") }
    }

    private func replace(_ rig: FaultRig?, _ row: inout Row) async -> String? {
        do { return try await rig?.end(keepsLogs: true) } catch {
            row.violations.append("the cluster did not go down: \(error)")
            return nil
        }
    }
}
