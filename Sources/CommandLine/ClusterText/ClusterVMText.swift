// VMs as the cluster keeps them.

package import API
import Model

package func clusterVMTableText(for vms: [ClusterVM]) -> String {
    var table = Table("NAME", "STATE", "HOST", "MEMORY", "VCPUS", "CPU", "RESTARTS", "REASON")
    for vm in vms {
        table.addRow(
            vm.name.text, vm.stateText, vm.placeText, vm.spec.memory.description,
            "\(vm.spec.vcpus)", vm.cpuCores.map(oneDecimalText) ?? "-", "\(vm.restarts)",
            vm.reason ?? "")
    }
    return table.text
}

extension ClusterVM {
    /// "running", or "stopped, shall run".
    package var stateText: String {
        let isAsWanted =
            switch policy.desired {
            case .running: state != .stopped && state != .failed
            case .stopped: state != .running && state != .paused
            }
        if isAsWanted { return state.rawValue }
        return "\(state.rawValue), shall \(policy.desired == .running ? "run" : "stop")"
    }

    /// "host-a", "host-a to host-b" while it is moved.
    package var placeText: String {
        guard let host else { return "-" }
        return destination.map { "\(host) to \($0)" } ?? host.text
    }

    package var text: String {
        var lines = [
            "name            \(name)",
            "id              \(id)",
            "state           \(stateText)\(reason.map { ": \($0)" } ?? "")",
            "host            \(placeText)",
            "memory          \(spec.memory)\(spec.hugePages ? ", huge pages" : "")\(memoryUsedBytes.map { ", \(byteCountText(for: $0)) in use" } ?? "")",
            "vcpus           \(spec.vcpus)\(cpuCores.map { ", \(oneDecimalText(for: $0)) cores busy" } ?? "")",
            "writes          \(dirtyBytesPerSecond.map { "\(byteCountText(for: $0))/s of its memory" } ?? "not measured yet")",
            "downtime limit  \(durationText(milliseconds: spec.downtimeLimit.milliseconds))",
            "kernel          \(spec.kernel.kernelPath ?? "shipped")",
            "command line    \(spec.commandLine ?? "")",
            "epoch           \(epoch)",
            "on failure      \(policy.failurePolicy.rawValue), \(quantityText(count: restarts, noun: "restart"))",
            "priority        \(policy.priority)",
            "balance         \(policy.mayBeBalanced ? "may move it" : "leaves it alone")",
        ]
        if let initrdPath = spec.kernel.initrdPath { lines.append("initrd          \(initrdPath)") }
        if !policy.labels.isEmpty {
            lines.append("needs labels    \(policy.labels.joined(separator: " "))")
        }
        if !policy.groups.isEmpty {
            lines.append("groups          \(policy.groups.map(\.name).joined(separator: " "))")
        }
        if let pinnedHost = policy.pinnedHost { lines.append("pinned to       \(pinnedHost)") }
        if let home { lines.append("home            \(home), which a drain took it from") }
        if let migration { lines.append("migration       \(migration)") }
        lines.append("revision        \(revision)")
        return lines.joined(separator: "\n")
    }
}

package func groupTableText(for groups: [GroupInfo]) -> String {
    var table = Table("GROUP", "KIND", "SCOPE", "STRENGTH", "IN ONE PLACE", "MEMBERS")
    for info in groups {
        let group = info.group
        table.addRow(
            group.name, group.kind.rawValue, (group.scope ?? .host).rawValue,
            group.softWeight.map { "soft, \(decimalText(for: $0))" } ?? "hard",
            group.kind == .affinity ? "all" : "\(group.perDomainMax ?? 1) at most",
            info.members.map(\.text).joined(separator: " "))
    }
    return table.text
}

package func tokenTableText(for tokens: [TokenInfo]) -> String {
    var table = Table("TOKEN", "ROLE", "MADE", "ENDS")
    for token in tokens {
        table.addRow(
            token.name, token.role.rawValue, timestampText(ms: token.createdAtMs),
            token.expiresAtMs.map { timestampText(ms: $0) } ?? "never")
    }
    return table.text
}
