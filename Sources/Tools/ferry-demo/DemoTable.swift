// The tables at the end of the demo: each VM's moves and what they cost it, each host's load, plans beside what came.

import API
import Host
import Model
import Testbed

struct DemoTable {
    let guests: [DemoGuest]
    let operations: [OperationInfo]
    /// As their sources saw them.
    let migrations: [MigrationInfo]
    let from: Instant
    let before: [ClusterHost]
    let after: [ClusterHost]
    let imbalance: (before: Double, after: Double)

    var text: String {
        [
            Self.alignedText(for: vmRows), Self.alignedText(for: hostRows),
            Self.alignedText(for: operationRows),
        ]
        .joined(separator: "\n\n")
    }

    // MARK: VMs

    private var vmRows: [[String]] {
        [
            [
                "VM", "route", "moves", "downtimes, ms", "longest heartbeat gap", "heartbeats",
                "wrong pages",
            ]
        ] + guests.map(guestRow)
    }

    private func guestRow(for guest: DemoGuest) -> [String] {
        // Only of this life of the VM: its name may have been another's before.
        let moves = migrations.filter { $0.vm == guest.name && $0.vmID == guest.id }
            .sorted { $0.startedAtMs < $1.startedAtMs }
        let trace = guest.watch.trace
        let route = [guest.startsOn] + moves.map(\.destination)
        return [
            guest.name.text, route.map { Self.shortName(of: $0) }.joined(separator: " → "),
            "\(moves.count)",
            moves.isEmpty
                ? "–"
                : moves.map { $0.report.map { Self.decimalText(for: $0.downtimeMs) } ?? "?" }
                    .joined(separator: ", "),
            Self.decimalText(for: trace.longestGap(from: from, to: .now).milliseconds) + " ms",
            "\(trace.beats.count)\(trace.firstBreak == nil ? ", in order" : ", NOT in order")",
            "\(trace.errors)",
        ]
    }

    /// "host-a" is a.
    private static func shortName(of host: HostName) -> String {
        host.text.split(separator: "-").last.map(String.init) ?? host.text
    }

    // MARK: Hosts

    private var hostRows: [[String]] {
        [["host", "VMs before", "cores busy", "VMs after", "cores busy"]]
            + before.map { host in
                let later = after.first { $0.name == host.name }
                return [
                    host.name.text, "\(host.vms)", Self.decimalText(for: host.cpuCores, digits: 2),
                    later.map { "\($0.vms)" } ?? "?",
                    later.map { Self.decimalText(for: $0.cpuCores, digits: 2) } ?? "?",
                ]
            }
            + [
                [
                    "imbalance", "", Self.decimalText(for: imbalance.before, digits: 3), "",
                    "\(Self.decimalText(for: imbalance.after, digits: 3)) when levelled",
                ]
            ]
    }

    // MARK: Operations

    private var operationRows: [[String]] {
        [["operation", "moves", "predicted", "took", "predicted downtime", "longest downtime"]]
            + operations.sorted { $0.startedAtMs < $1.startedAtMs }.map(operationRow)
    }

    private func operationRow(for operation: OperationInfo) -> [String] {
        let moves = operation.plan.moves.filter { $0.state == .done }
        let took = operation.endedAtMs.map { Double($0 - operation.startedAtMs) / 1000 }
        let ids = Set(moves.compactMap(\.migration))
        let downtimes = migrations.filter { ids.contains($0.id) }.compactMap(\.report?.downtimeMs)
        let seconds = operation.plan.seconds
        return [
            operation.kind.rawValue + (operation.host.map { " \($0)" } ?? ""), "\(moves.count)",
            "\(Self.decimalText(for: seconds.expected)) s (\(Self.decimalText(for: seconds.low)) to \(Self.decimalText(for: seconds.high)))",
            took.map { Self.decimalText(for: $0) + " s" } ?? "–",
            Self.decimalText(for: moves.map(\.predicted.downtimeMs.expected).max() ?? 0) + " ms",
            downtimes.max().map { Self.decimalText(for: $0) + " ms" } ?? "–",
        ]
    }

    // MARK: Text

    private static func alignedText(for rows: [[String]]) -> String {
        let columns = rows.map(\.count).max() ?? 0
        let widths = (0..<columns).map { column in
            rows.map { column < $0.count ? $0[column].count : 0 }.max() ?? 0
        }
        return rows.map { row in
            let cells = zip(row, widths).map { cell, width in
                cell + String(repeating: " ", count: width - cell.count)
            }
            return String(cells.joined(separator: "  ").reversed().drop { $0 == " " }.reversed())
        }.joined(separator: "\n")
    }

    private static func decimalText(for value: Double, digits: Int = 1) -> String {
        "\(value.rounded(decimals: digits))"
    }
}
