// VMs as people read them, and what people write for sizes and times.

import API
import ClusterText
import ArgumentParser
import Model

func vmTableText(for vms: [VMInfo]) -> String {
    var table = Table("NAME", "HOST", "STATE", "MEMORY", "VCPUS", "NOW")
    for vm in vms {
        table.addRow(
            vm.name.text, vm.host.text, vm.state.rawValue, vm.spec.memory.description,
            "\(vm.spec.vcpus)", vm.activity ?? vm.warning ?? vm.exit?.detail ?? "")
    }
    return table.text
}

func vmDetailText(for vm: VMInfo) -> String {
    var lines = [
        "name            \(vm.name)",
        "id              \(vm.id)",
        "host            \(vm.host)",
        "state           \(vm.state.rawValue)\(vm.activity.map { ", \($0)" } ?? "")",
        "memory          \(vm.spec.memory)\(vm.spec.hugePages ? ", huge pages" : "")",
        "vcpus           \(vm.spec.vcpus)",
        "downtime limit  \(durationText(milliseconds: vm.spec.downtimeLimit.milliseconds))",
        "kernel          \(kernelText(of: vm))",
        "command line    \(vm.spec.commandLine ?? "")",
        "epoch           \(vm.epoch)",
        "cpu time        \(durationText(milliseconds: vm.cpuTimeMs))",
        "process         \(vm.processID.map { "\($0)" } ?? "none")",
    ]
    if let initrd = vm.spec.kernel.initrdPath { lines.append("initrd          \(initrd)") }
    if let exit = vm.exit {
        lines.append("ended           \(exit.reason.rawValue): \(exit.detail)")
    }
    if let warning = vm.warning { lines.append("warning         \(warning)") }
    return lines.joined(separator: "\n")
}

private func kernelText(of vm: VMInfo) -> String {
    switch vm.spec.kernel {
    case .files(let kernel, _): kernel
    case .shipped: "shipped"
    case .unknown:
        "unknown, it cannot boot again: restored from \(vm.restoredFrom ?? "a saved file")"
    }
}

@Sendable func parseByteCount(from text: String) throws -> ByteCount {
    guard let size = ByteCount(text) else {
        throw ValidationError("'\(text)' is not a size: write 512MiB or 4GiB")
    }
    return size
}

@Sendable func parseDuration(from text: String) throws -> Duration {
    guard let duration = Duration(text: text) else {
        throw ValidationError("'\(text)' is not a time: write 50ms or 2s")
    }
    return duration
}
