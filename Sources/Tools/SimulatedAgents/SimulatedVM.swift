// A VM that is only an entry in memory: what an agent would know of it, and what it would measure.

package import API
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
    @Sendable package static func uneven(_ id: VMID, _ request: CreateVM) -> VMLoad {
        var random = SplitMix64(seed: id.low)
        let vcpus = Double(request.vcpus ?? 1)
        let isBusy = random.number(below: 10) == 0
        let share = isBusy ? 0.7 + 0.3 * random.fraction() : 0.02 + 0.13 * random.fraction()
        let memoryShare = 0.3 + 0.6 * random.fraction()
        return VMLoad(
            cpuCores: vcpus * share,
            memoryUsedBytes: UInt64(Double(request.memoryBytes) * memoryShare),
            dirtyBytesPerSecond: share * 40e6)
    }
}

struct SimulatedVM {
    let id: VMID
    let request: CreateVM
    var epoch: UInt64
    var state: VMState
    var load: VMLoad
    var migration: MigrationID?
    var exit: VMExit?

    var name: VMName { request.name }
    var cpuCores: Double { state == .running ? load.cpuCores : 0 }

    func info(on host: HostName) -> VMInfo {
        VMInfo(
            id: id, name: name, host: host, state: state, memoryBytes: request.memoryBytes,
            vcpus: request.vcpus ?? 1, hugePages: request.hugePages ?? false,
            downtimeLimitMs: request.downtimeLimitMs ?? VMSpec.downtimeLimitDefault.milliseconds,
            commandLine: request.commandLine ?? "", hasShippedKernel: request.kernelPath == nil,
            kernelPath: request.kernelPath, initrdPath: request.initrdPath,
            isLeased: request.isLeased ?? false, epoch: epoch, cpuTimeMs: 0,
            processID: state == .running || state == .paused ? 1 : nil,
            activity: migration.map { "migration \($0)" }, exit: exit, warning: nil)
    }

    func report(_ ownership: VMReport.Ownership = .owned) -> VMReport {
        VMReport(
            id: id, name: name, state: state, epoch: epoch, ownership: ownership,
            cpuCores: cpuCores, memoryUsedBytes: load.memoryUsedBytes,
            dirtyBytesPerSecond: load.dirtyBytesPerSecond, isLeased: request.isLeased ?? false,
            exit: exit, activity: migration.map { "migration \($0)" },
            memoryBytes: request.memoryBytes, vcpus: request.vcpus ?? 1)
    }
}
