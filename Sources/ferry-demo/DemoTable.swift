// The table at the end of the demo: a row a figure, a column a move.

import API
import Host
import Model

/// One move of the demo's VM.
struct DemoMove {
    let source: HostName
    let destination: HostName
    let report: ReportInfo
    /// The longest silence between two heartbeats, as the demo saw them arrive.
    let longestGap: Duration
    /// Wrong pages that the guest had counted by then.
    let errors: Int
    let firstBreak: (before: Int, after: Int)?
}

struct DemoTable {
    private let moves: [DemoMove]

    init(_ moves: [DemoMove]) { self.moves = moves }

    var text: String {
        var rows: [(String, (DemoMove) -> String)] = [
            ("total", { Self.milliseconds($0.report.totalMs) }),
            ("downtime", { Self.milliseconds($0.report.downtimeMs) }),
        ]
        rows += MigrationPhase.downtimePhases.map { phase in
            ("  \(phase.rawValue)", { Self.milliseconds($0.report.duration(of: phase)) })
        }
        rows += [
            ("predicted downtime", { Self.milliseconds($0.report.predictedDowntimeMs) }),
            ("rounds", { "\($0.report.rounds)" }),
            ("on the wire", { Self.mebibytes($0.report.wireBytes) }),
            ("pages sent", { "\($0.report.pagesSent)" }),
            ("compression", { "\($0.report.compression.rawValue) \(Self.ratio($0.report))" }),
            ("pages verified", { "\($0.report.verifiedPages)" }),
            ("guest's wrong pages", { "\($0.errors)" }),
            ("heartbeats in order", { $0.firstBreak == nil ? "yes" : "no" }),
            ("longest heartbeat gap", { Self.milliseconds($0.longestGap.milliseconds) }),
        ]
        let head = ("", moves.map { "\($0.source) → \($0.destination)" })
        return ([head] + rows.map { row in (row.0, moves.map(row.1)) })
            .map { name, cells in
                Self.padded(name, to: 24) + cells.map { Self.padded($0, to: 20) }.joined()
            }
            .joined(separator: "\n")
    }

    private static func milliseconds(_ value: Double) -> String { fixed(value, digits: 1) + " ms" }
    private static func mebibytes(_ bytes: UInt64) -> String {
        fixed(Double(bytes) / Double(1 << 20), digits: 1) + " MiB"
    }
    private static func ratio(_ report: ReportInfo) -> String {
        fixed(report.compressionRatio, digits: 2) + ":1"
    }

    private static func fixed(_ value: Double, digits: Int) -> String {
        let scale = digits == 1 ? 10.0 : 100.0
        return "\((value * scale).rounded() / scale)"
    }

    private static func padded(_ text: String, to width: Int) -> String {
        text + String(repeating: " ", count: max(1, width - text.count))
    }
}

extension ReportInfo {
    func duration(of phase: MigrationPhase) -> Double {
        phases.filter { $0.phase == phase }.reduce(0) { $0 + $1.durationMs }
    }
}
