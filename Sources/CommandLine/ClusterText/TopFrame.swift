// One frame of `ferry top`: the cluster as lines that fit a screen.
//
//   the cluster, its leader, its imbalance
//   what is under way                        only when something is
//   hosts, with bars                         the busiest first
//   VMs                                      by load, as many as fit
//
// Pure: what is shown depends on what was fetched and on the screen's size alone.

package import API
import Model

package struct TopFrame: Sendable {
    package var cluster: ClusterInfo
    package var hosts: [ClusterHost]
    package var vms: [ClusterVM]
    /// Those that are not over, each with its line.
    package var operations: [(title: String, line: String)]

    package init(
        cluster: ClusterInfo, hosts: [ClusterHost], vms: [ClusterVM],
        operations: [(title: String, line: String)]
    ) {
        self.cluster = cluster
        self.hosts = hosts
        self.vms = vms
        self.operations = operations
    }

    private static let barWidth = 16

    /// - Parameters:
    ///   - width: longer lines are cut.
    ///   - height: at most so many lines; nil for all there is.
    package func renderLines(width: Int, height: Int?) -> [String] {
        var lines = [cluster.text, cluster.countsText]
        let moving = operationLines
        if !moving.isEmpty { lines += [""] + moving }
        // Half of what is left goes to hosts, more when VMs do not need it.
        let left = height.map { max(0, $0 - lines.count - 2) }
        let vmRows = vmTable.lines
        let hostRows = hostTable.lines
        let hostSpace = left.map { max($0 / 2, $0 - vmRows.count) }
        let shownHosts = Self.truncatedRows(hostRows, limit: hostSpace, noun: "hosts")
        lines += [""] + shownHosts
        lines +=
            [""]
            + Self.truncatedRows(
                vmRows, limit: left.map { max(0, $0 - shownHosts.count) }, noun: "VMs")
        let cut = lines.map { String($0.prefix(max(1, width))) }
        return height.map { Array(cut.prefix($0)) } ?? cut
    }

    private var operationLines: [String] {
        operations.map { "\($0.title)  \($0.line)" }
    }

    private var hostTable: Table {
        var table = Table("HOST", "STATE", "CPU", "", "MEMORY", "", "VMS", "PRESSURE")
        let byLoad = hosts.sorted { ($1.cpuShare, $0.name) < ($0.cpuShare, $1.name) }
        for host in byLoad {
            table.addRow(
                host.name.text, host.stateText, Self.usageBarText(share: host.cpuShare),
                "\(oneDecimalText(for: host.cpuCores))/\(host.registration.cores)",
                Self.usageBarText(share: host.memoryShare),
                memoryShareText(used: host.memoryUsedBytes, total: host.registration.memoryBytes),
                "\(host.vms)",
                host.pressure.text)
        }
        return table
    }

    private var vmTable: Table {
        var table = Table("VM", "STATE", "HOST", "CPU", "MEMORY", "WRITES", "REASON")
        let byLoad = vms.sorted { ($1.cpuCores ?? 0, $0.name) < ($0.cpuCores ?? 0, $1.name) }
        for vm in byLoad {
            table.addRow(
                vm.name.text, vm.stateText, vm.placeText, vm.cpuCores.map(oneDecimalText) ?? "-",
                memoryShareText(used: vm.memoryUsedBytes ?? 0, total: vm.spec.memory.bytes),
                vm.dirtyBytesPerSecond.map { "\(byteCountText(for: $0))/s" } ?? "-", vm.reason ?? ""
            )
        }
        return table
    }

    /// "[######..........]"
    static func usageBarText(share: Double) -> String {
        let full = Int((min(1, max(0, share)) * Double(barWidth)).rounded())
        return
            "[\(String(repeating: "#", count: full))\(String(repeating: ".", count: barWidth - full))]"
    }

    /// The heading and the first rows, and how many more there are.
    private static func truncatedRows(_ rows: [String], limit space: Int?, noun: String) -> [String]
    {
        guard let space, rows.count > space else { return rows }
        guard space >= 2 else { return Array(rows.prefix(space)) }
        return rows.prefix(space - 1) + ["... and \(rows.count - (space - 1)) more \(noun)"]
    }
}

extension ClusterHost {
    fileprivate var cpuShare: Double { cpuCores / Double(max(1, registration.cores)) }
    fileprivate var memoryShare: Double {
        Double(memoryUsedBytes) / Double(max(1, registration.memoryBytes))
    }
}
