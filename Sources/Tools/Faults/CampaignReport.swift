// The result of a campaign: counts for people, and the table for the documentation.

import Foundation
import Host
import Model
import Testbed

package struct CampaignReport: Sendable {
    package internal(set) var rows: [ScenarioResult] = []
    /// What did not run, and why.
    package internal(set) var skipped: [String] = []
    /// Not all of it was done.
    package internal(set) var isInterrupted = false

    func combinedReport(with other: CampaignReport) -> CampaignReport {
        CampaignReport(rows: rows + other.rows, skipped: skipped + other.skipped)
    }

    package var violations: [ScenarioResult] { rows.filter { !$0.violations.isEmpty } }
    package var isGood: Bool { violations.isEmpty && !rows.isEmpty && !isInterrupted }

    package var summary: String {
        let lost = rows.filter { $0.owner == .lost }.count
        return """

            \(rows.count) faults injected, \(violations.count) with violations; \
            \(lost) VMs ended with the ferry-vmm of their owner
            \(violations.map { "  \($0.line)" }.joined(separator: "\n"))
            \(skipped.map { "  skipped: \($0)" }.joined(separator: "\n"))
            """
    }

    /// Markdown: a row for each stage and fault.
    package var table: String {
        struct Key: Hashable {
            let stage: Stage
            let fault: FaultFamily
        }
        let groups = Dictionary(grouping: rows) {
            Key(stage: Stage($0.scenario.phase), fault: FaultFamily($0.scenario))
        }
        let lines = groups.sorted {
            ($0.key.stage, $0.key.fault) < ($1.key.stage, $1.key.fault)
        }.map { key, rows in
            let cells = [
                key.stage.name, key.fault.name, "\(rows.count)", Self.ownerSummary(of: rows),
                Self.durationSummary(of: rows.compactMap(\.recovery)),
                Self.durationSummary(of: rows.compactMap(\.noticed)),
                Self.countSummary(of: rows.compactMap(\.code)),
            ]
            return "| \(cells.joined(separator: " | ")) |"
        }
        return """
            | phase | fault | times | who has the VM | full speed after, s | migration ended after, s | code |
            | --- | --- | --- | --- | --- | --- | --- |
            \(lines.joined(separator: "\n"))
            """
    }

    private static func ownerSummary(of rows: [ScenarioResult]) -> String {
        countSummary(of: rows.map { $0.owner?.rawValue ?? "unknown" })
    }

    /// "source 3, destination 1", the most frequent first; no number where all are the same.
    private static func countSummary(of words: [String]) -> String {
        let counts = Dictionary(grouping: words) { $0 }.mapValues(\.count)
        if counts.isEmpty { return "–" }
        if counts.count == 1 { return words[0] }
        return counts.sorted { ($1.value, $0.key) < ($0.value, $1.key) }
            .map { "\($0.key) \($0.value)" }.joined(separator: ", ")
    }

    /// Median and maximum.
    private static func durationSummary(of durations: [Duration]) -> String {
        func secondsText(for duration: Duration) -> String {
            "\(duration.seconds.rounded(decimals: 1))"
        }
        let sorted = durations.sorted()
        guard let last = sorted.last else { return "–" }
        let median = sorted[sorted.count / 2]
        return sorted.count == 1
            ? secondsText(for: last)
            : "\(secondsText(for: median)), at most \(secondsText(for: last))"
    }

    private static let begin = "<!-- faults: begin -->"
    private static let end = "<!-- faults: end -->"

    /// Replaces what stands between the markers.
    package func replaceTable(inFile path: String) throws {
        let text = try String(contentsOfFile: path, encoding: .utf8)
        guard let begin = text.range(of: Self.begin),
            let end = text.range(of: Self.end, range: begin.upperBound..<text.endIndex)
        else { throw TestbedError("\(path) has no lines '\(Self.begin)' and '\(Self.end)'") }
        let new = """
            \(text[..<begin.upperBound])
            \(rows.count) faults, \(violations.count) violations.

            \(table)
            \(text[end.lowerBound...])
            """
        try new.write(toFile: path, atomically: true, encoding: .utf8)
    }
}
