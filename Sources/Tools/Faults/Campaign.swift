// Many scenarios one after another. A violation is told with everything that is known, its logs are kept, and the
// rest goes on with a fresh cluster.

import Foundation
import Host

package struct Campaign: Sendable {
    private let scenarios: [Scenario]
    private let say: @Sendable (String) -> Void

    /// - Parameter say: gets a line for each scenario.
    package init(scenarios: [Scenario], onLine say: @escaping @Sendable (String) -> Void) {
        self.scenarios = scenarios
        self.say = say
    }

    /// Loopback and namespaces side by side: most of the time both wait. Ends early, with what was done, when its
    /// task is cancelled.
    package func runAllScenarios() async -> CampaignReport {
        async let loopback = runScenarios(at: .loopback)
        async let namespaces = runScenarios(at: .namespaces)
        var report = await loopback.combinedReport(with: namespaces)
        report.isInterrupted = Task.isCancelled
        return report
    }

    private func runScenarios(at place: Place) async -> CampaignReport {
        var report = CampaignReport()
        let mine = scenarios.filter { $0.place == place }
        if mine.isEmpty { return report }
        if let problem = await FaultRig.unavailabilityReason(of: place) {
            report.skipped.append("\(mine.count) scenarios in \(place.rawValue): \(problem)")
            say("skipped: \(report.skipped.last ?? "")")
        } else {
            await runScenarios(mine, at: place, into: &report)
        }
        return report
    }

    private func runScenarios(
        _ scenarios: [Scenario], at place: Place, into report: inout CampaignReport
    ) async {
        var rig: FaultRig?
        for scenario in scenarios where !Task.isCancelled {
            if case .memoryLimit = scenario.fault, let problem = MemoryLimit.problem {
                report.skipped.append("\(scenario.name): \(problem)")
                continue
            }
            var row: ScenarioResult
            do {
                let current = if let rig { rig } else { try await FaultRig.startRig(at: place) }
                rig = current
                row = try await current.runScenario(scenario)
            } catch {
                row = ScenarioResult(scenario: scenario)
                row.violations = ["it could not be run: \(error)"]
            }
            if Task.isCancelled { break }
            if !row.violations.isEmpty {
                // What comes next must not suffer from it.
                row.logs = await stopFailedRig(rig, recordingTo: &row)
                rig = nil
            }
            report.rows.append(row)
            say("\(report.rows.count)/\(scenarios.count) \(row.line)")
            if let logs = row.logs { say("       logs: \(logs)") }
        }
        do { try await rig?.stopCluster() } catch { report.skipped.append("the end: \(error)") }
    }

    private func stopFailedRig(_ rig: FaultRig?, recordingTo row: inout ScenarioResult) async
        -> String?
    {
        do { return try await rig?.stopCluster(keepsLogs: true) } catch {
            row.violations.append("the cluster did not go down: \(error)")
            return nil
        }
    }
}
