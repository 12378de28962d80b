// Hosts as the cluster sees them.

package import API
import Foundation
import Model

package func hostTableText(for hosts: [ClusterHost]) -> String {
    var table = Table(
        "HOST", "STATE", "VMS", "CPU", "PROMISED", "MEMORY", "PROMISED", "HEARD OF", "REASON")
    for host in hosts {
        let cores = Double(host.registration.cores)
        table.addRow(
            host.name.text, host.stateText, "\(host.vms)",
            "\(oneDecimalText(for: host.cpuCores))/\(oneDecimalText(for: cores))",
            "\(oneDecimalText(for: host.vcpusPromised))/\(oneDecimalText(for: host.vcpusLimit))",
            memoryShareText(used: host.memoryUsedBytes, total: host.registration.memoryBytes),
            memoryShareText(used: host.memoryPromisedBytes, total: host.memoryLimitBytes),
            host.heardOfText, host.reason ?? "")
    }
    return table.text
}

package func oneDecimalText(for value: Double) -> String { String(format: "%.1f", value) }

/// "3.2/8.0 GiB", both in the unit of the whole.
package func memoryShareText(used part: UInt64, total whole: UInt64) -> String {
    var (unit, divisor) = ("B", 1.0)
    for next in ["KiB", "MiB", "GiB", "TiB"] where Double(whole) >= divisor * 1024 {
        (unit, divisor) = (next, divisor * 1024)
    }
    return
        "\(oneDecimalText(for: Double(part) / divisor))/\(oneDecimalText(for: Double(whole) / divisor)) \(unit)"
}

extension ClusterHost {
    package var stateText: String {
        var text = state.rawValue
        if state != wanted { text += ", then \(wanted.rawValue)" }
        if isFenced { text += ", fenced" }
        return text
    }

    package var heardOfText: String {
        heardOfMsAgo.map { "\(timeSpanText(seconds: Double($0) / 1000)) ago" } ?? "not yet"
    }

    package var text: String {
        var lines = [
            "name        \(name)",
            "state       \(stateText)\(reason.map { ": \($0)" } ?? "")",
            "heard of    \(heardOfText)",
            "agent       \(registration.agentVersion)",
            "api         \(registration.apiAddress)",
            "peer        \(registration.peerAddress)",
            "cpu         \(oneDecimalText(for: cpuCores)) of \(registration.cores) cores busy; \(oneDecimalText(for: vcpusPromised)) of \(oneDecimalText(for: vcpusLimit)) vCPUs promised",
            "memory      \(memoryShareText(used: memoryUsedBytes, total: registration.memoryBytes)) in use; \(memoryShareText(used: memoryPromisedBytes, total: memoryLimitBytes)) promised",
            "pressure    \(pressure.text)",
            "vms         \(vms)",
            "labels      \(registration.labels.isEmpty ? "none" : registration.labels.joined(separator: " "))",
            "zone, rack  \(domainName(for: registration.zone)), \(domainName(for: registration.rack))",
            "link        \(domainName(for: registration.link)), \(byteCountText(for: registration.linkBytesPerSecond))/s",
        ]
        if !unmanagedVMs.isEmpty {
            lines.append(
                "not kept    \(unmanagedVMs.map(\.text).joined(separator: " ")): made by a word to the agent; the cluster counts them and leaves them alone"
            )
        }
        if let operation { lines.append("operation   \(operation)") }
        return lines.joined(separator: "\n")
    }

    private func domainName(for text: String) -> String { text.isEmpty ? "its own" : text }
}

extension HostPressure {
    /// "cpu 1.2 memory 0.0 io 0.3": shares of the last ten seconds, in percent.
    package var text: String {
        let parts = [("cpu", cpu), ("memory", memory), ("io", io)]
            .compactMap { name, value in value.map { "\(name) \(oneDecimalText(for: $0))%" } }
        return parts.isEmpty ? "not told by its kernel" : parts.joined(separator: ", ")
    }
}
