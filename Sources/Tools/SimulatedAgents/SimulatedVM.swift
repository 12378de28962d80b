// A VM that is only an entry in memory: what an agent would know of it, and what it would measure.

import API
package import Model

/// What a VM does to its host.
package struct VMLoad: Hashable, Sendable {
    package var cpuCores: Double
    package var memoryUsedBytes: UInt64
    package var dirtyBytesPerSecond: Double

    package init(cpuCores: Double, memoryUsedBytes: UInt64, dirtyBytesPerSecond: Double) {
        self.cpuCores = cpuCores
        self.memoryUsedBytes = memoryUsedBytes
        self.dirtyBytesPerSecond = dirtyBytesPerSecond
    }

    /// As in many a cluster: one VM of ten keeps its cores busy, the others are mostly idle. The same for the same VM.
    @Sendable package static func unevenLoad(id: VMID, spec: VMSpec) -> VMLoad {
        var random = SplitMix64(seed: id.low)
        let vcpus = Double(spec.vcpus)
        let isBusy = random.drawNumber(below: 10) == 0
        let share = isBusy ? 0.7 + 0.3 * random.drawFraction() : 0.02 + 0.13 * random.drawFraction()
        let memoryShare = 0.3 + 0.6 * random.drawFraction()
        return VMLoad(
            cpuCores: vcpus * share,
            memoryUsedBytes: UInt64(Double(spec.memory.bytes) * memoryShare),
            dirtyBytesPerSecond: share * 40e6)
    }
}

struct SimulatedVM {
    let id: VMID
    let spec: VMSpec
    var epoch: UInt64
    var state: VMState
    var load: VMLoad
    var migration: MigrationID?
    var exit: VMExit?

    var name: VMName { spec.name }
    var cpuCores: Double { state == .running ? load.cpuCores : 0 }

    func makeVMInfo(on host: HostName) -> VMInfo {
        var info = VMInfo(id: id, host: host, state: state, spec: spec, epoch: epoch)
        info.processID = state == .running || state == .paused ? 1 : nil
        info.activity = migration.map { "migration \($0)" }
        info.exit = exit
        return info
    }

    func makeVMReport(as ownership: VMReport.Ownership = .owned) -> VMReport {
        VMReport(
            id: id, name: name, state: state, epoch: epoch, ownership: ownership,
            cpuCores: cpuCores, memoryUsedBytes: load.memoryUsedBytes,
            dirtyBytesPerSecond: load.dirtyBytesPerSecond, isLeased: spec.isLeased,
            exit: exit, activity: migration.map { "migration \($0)" },
            memoryBytes: spec.memory.bytes, vcpus: spec.vcpus)
    }
}
