// What the load test measured, as JSON and for people.

import FoundationEssentials
import Host
import Model
import Testbed

/// Of many measured times: how many, and how long.
struct Quantiles: Codable, Sendable {
    var count: Int
    var medianMs: Double
    var p99Ms: Double
    var maxMs: Double

    init(of times: [Duration]) {
        let sorted = times.map(\.milliseconds).sorted()
        count = sorted.count
        medianMs = Self.quantileValue(of: sorted, share: 0.5)
        p99Ms = Self.quantileValue(of: sorted, share: 0.99)
        maxMs = sorted.last ?? 0
    }

    private static func quantileValue(of sorted: [Double], share: Double) -> Double {
        sorted.isEmpty ? 0 : sorted[min(sorted.count - 1, Int(Double(sorted.count) * share))]
    }

    var words: String {
        "median \(roundedText(for: medianMs)) ms, p99 \(roundedText(for: p99Ms)) ms, longest \(roundedText(for: maxMs)) ms"
    }
}

struct LoadReport: Codable, Sendable {
    var agents: Int
    var vms = 0
    var heartbeatSeconds: Double
    /// From the start of the agents until the controller has heard of all of them.
    var allRegisteredSeconds = 0.0
    var createsPerSecond = 0.0
    /// From a create's request to its answer, as a client sees it.
    var creates: Quantiles?
    var failedCreates = 0
    /// From the last create's answer until every VM was known to run.
    var allRunningSeconds = 0.0
    /// By the controller's own histogram.
    var placementMedianMs: Double?
    var placementP99Ms: Double?
    var explanations: Quantiles?
    var steadySeconds = 0.0
    /// Of one core: 100 is one core busy.
    var controllerCPUPercent = 0.0
    var heartbeatsPerSecond = 0.0
    var heartbeats: Quantiles?
    var failedHeartbeats = 0
    var balancePlans: Quantiles?
    var balanceMoves = 0
    var imbalance = 0.0
    var drainPlans: Quantiles?
    var drainMoves = 0
    /// From the signal until all agents were heard of and a create worked.
    var serviceAfterTermSeconds: [Double] = []
    var serviceAfterKillSeconds: [Double] = []
    /// VMs that were there before the restarts and not afterwards, or twice.
    var lostVMs = 0
    var doubledVMs = 0
    var peakMemoryMiB = 0.0

    var json: String {
        get throws {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
            return String(decoding: try encoder.encode(self), as: UTF8.self)
        }
    }

    var text: String {
        var rows: [(String, String)] = [
            ("agents", "\(agents), a heartbeat every \(roundedText(for: heartbeatSeconds)) s"),
            ("VMs", "\(vms)"),
            ("all agents registered", "after \(roundedText(for: allRegisteredSeconds)) s"),
            (
                "creates",
                "\(roundedText(for: createsPerSecond)) a second; \(creates?.words ?? "none")"
            ),
            ("failed creates", "\(failedCreates)"),
            (
                "all VMs known to run",
                "\(roundedText(for: allRunningSeconds)) s after the last create"
            ),
            ("explain placement", explanations?.words ?? "none"),
            ("controller's CPU", "\(roundedText(for: controllerCPUPercent)) % of a core"),
            (
                "heartbeats",
                "\(roundedText(for: heartbeatsPerSecond)) a second; \(heartbeats?.words ?? "none")"
            ),
            ("failed heartbeats", "\(failedHeartbeats)"),
            (
                "balance plan",
                "\(balanceMoves) moves from imbalance \(roundedText(for: imbalance)); \(balancePlans?.words ?? "none")"
            ),
            ("drain plan of a host", "\(drainMoves) moves; \(drainPlans?.words ?? "none")"),
            ("service after SIGTERM", secondsListText(for: serviceAfterTermSeconds)),
            ("service after SIGKILL", secondsListText(for: serviceAfterKillSeconds)),
            ("VMs lost, doubled", "\(lostVMs), \(doubledVMs)"),
            ("peak memory", "\(roundedText(for: peakMemoryMiB)) MiB"),
        ]
        if let placementMedianMs, let placementP99Ms {
            rows.insert(
                (
                    "placement decision",
                    "median \(roundedText(for: placementMedianMs)) ms, p99 \(roundedText(for: placementP99Ms)) ms"
                ), at: 6)
        }
        return rows.map { name, value in
            name + String(repeating: " ", count: max(1, 24 - name.count)) + value
        }.joined(separator: "\n")
    }

    private func secondsListText(for times: [Double]) -> String {
        times.isEmpty
            ? "not tried" : times.map { roundedText(for: $0) + " s" }.joined(separator: ", ")
    }
}

/// Three digits that count.
private func roundedText(for value: Double) -> String {
    value.rounded(decimals: value >= 100 ? 0 : value >= 10 ? 1 : 2).plainText
}
