// What a heartbeat says: this host's load, its VMs, its migrations, as they are at one moment.
//
// Nothing here waits for a ferry-vmm: one that hangs must not make its whole host look dead. How the guests are is
// asked on the side, and what has changed rings for another heartbeat.

import API
import ClusterFile
import Host
import Migration
import Model
import Ownership
import VMControl

actor HeartbeatMaker {
    nonisolated let agentID = Identifier128.random()
    private let inventory: VMInventory
    private let migrations: Migrations
    private var sequence: UInt64 = 0
    private var hostMeter = CPUMeter()
    private var meters: [VMID: VMMeter] = [:]
    private var asked: Set<VMID> = []

    /// A VM that boots again has a new process, whose CPU time begins at zero.
    private struct VMMeter {
        let processID: Int32
        var meter = CPUMeter()
    }

    init(inventory: VMInventory, migrations: Migrations) {
        self.inventory = inventory
        self.migrations = migrations
        hostMeter.read(HostLoad.read().busyTime, at: .now)
    }

    /// The next heartbeat, and which news of migrations are in it: `reported` when it was answered.
    func heartbeat() async -> (Heartbeat, news: [MigrationID: UInt64]) {
        let vms = await observations()
        let (moving, news) = await migrations.report()
        let ledger = inventory.context.ledger
        let processes = vms.compactMap { vm in vm.process.map { (vm.report.id, $0) } }
        // After the VMs: who is gone by now has an ownership that says so.
        let sample = await onThread("sample") { Sample(ledger, processes) }
        hostMeter.read(sample.host.busyTime, at: sample.at)
        measure(sample)
        var reports = vms.compactMap { report($0, sample, moving) }
        reports += await onlyInLedger(sample, but: Set(vms.map(\.report.id)))
        sequence += 1
        let heartbeat = Heartbeat(
            agentID: agentID, sequence: sequence, cpuCores: hostMeter.cores ?? 0,
            memoryUsedBytes: sample.host.memoryUsedBytes, pressure: sample.host.pressure,
            vms: reports, migrations: moving)
        return (sharesMachine ? heartbeat.withVMsAlone : heartbeat, news)
    }

    private var sharesMachine: Bool {
        inventory.context.cluster.sharesMachine(inventory.context.name)
    }

    private func observations() async -> [VMObservation] {
        var observations: [VMObservation] = []
        for vm in await inventory.all() {
            observations.append(await vm.observation)
            if asked.insert(vm.id).inserted { Task { await ask(vm) } }
        }
        return observations
    }

    /// How the guest is, for the next heartbeat.
    private func ask(_ vm: VirtualMachine) async {
        await vm.refresh()
        asked.remove(vm.id)
    }

    private func measure(_ sample: Sample) {
        var present: [VMID: VMMeter] = [:]
        for (vm, process) in sample.processes {
            let known = meters[vm].flatMap { $0.processID == process.id ? $0 : nil }
            var meter = known ?? VMMeter(processID: process.id)
            if let time = process.cpuTime { meter.meter.read(time, at: sample.at) }
            present[vm] = meter
        }
        meters = present
    }

    /// Nil for what is not here any more, or not yet.
    private func report(
        _ vm: VMObservation, _ sample: Sample, _ moving: [MigrationInfo]
    ) -> VMReport? {
        var report = vm.report
        let standing = LedgerStanding(sample.ownerships[report.id])
        guard let ownership = VMReport.Ownership(standing.kind) else { return nil }
        if ownership == .unknown, report.state == .incoming { return nil }
        (report.ownership, report.epoch) = (ownership, standing.epoch)
        (report.peer, report.migration) = (standing.peer, standing.migration)
        if report.ownership == .owned { report.migration = nil }
        report.cpuCores = meters[report.id]?.meter.cores
        report.memoryUsedBytes = sample.processes[report.id]?.memoryBytes
        let progress = moving.first { $0.vmID == report.id && !$0.isOver }?.progress
        report.dirtyBytesPerSecond = progress?.dirtyPagesPerSecond.map { $0 * Double(pageBytes) }
        return report
    }

    /// What the ledger cannot settle and nothing of which is here.
    private func onlyInLedger(_ sample: Sample, but known: Set<VMID>) async -> [VMReport] {
        var reports: [VMReport] = []
        for (id, ownership) in sample.ownerships where !known.contains(id) {
            let standing = LedgerStanding(ownership)
            guard let word = VMReport.Ownership(standing.kind), word != .superseded else {
                continue
            }
            // It may be on its way in or out just now.
            let ledger = inventory.context.ledger
            guard await !inventory.isKnown(id), ledger.ownership(of: id) == ownership else {
                continue
            }
            reports.append(
                VMReport(
                    id: id, name: VMRecord(lost: id).name, state: .stopped,
                    epoch: standing.epoch, ownership: word, peer: standing.peer,
                    migration: standing.migration, memoryBytes: 0, vcpus: 0))
            if reports.count == Limits.vmsMax { break }
        }
        return reports
    }
}

extension Heartbeat {
    /// Of a machine with several hosts on it each one answers for its VMs: with the whole machine's load all of them
    /// would look equally busy, and no move would change that.
    fileprivate var withVMsAlone: Heartbeat {
        var heartbeat = self
        heartbeat.cpuCores = vms.reduce(0) { $0 + ($1.cpuCores ?? 0) }
        heartbeat.memoryUsedBytes = vms.reduce(0) { $0 + ($1.memoryUsedBytes ?? 0) }
        heartbeat.pressure = HostPressure()
        return heartbeat
    }
}

/// What is read for a heartbeat, on a thread that may block.
private struct Sample: Sendable {
    struct Process: Sendable {
        let id: Int32
        let cpuTime: Duration?
        let memoryBytes: UInt64?
    }

    let at: Instant
    let host: HostLoad
    let ownerships: [VMID: Ownership]
    let processes: [VMID: Process]

    init(_ ledger: LedgerFile, _ vms: [(VMID, VMProcess)]) {
        ownerships = ledger.ownerships
        host = HostLoad.read()
        at = .now
        processes = Dictionary(
            vms.map { vm, process in
                // A file that cannot be asked is that of a process that ends.
                let bytes = try? process.client.memoryFile.allocatedBytes()
                return (
                    vm,
                    Process(
                        id: process.handle.processID, cpuTime: process.handle.cpuTime,
                        memoryBytes: bytes.map { UInt64($0) })
                )
            }, uniquingKeysWith: { first, _ in first })
    }
}

/// A VM as its owner sees it.
struct VMObservation: Sendable {
    /// Without what only a sample knows.
    var report: VMReport
    var process: VMProcess?
}

extension VirtualMachine {
    var observation: VMObservation {
        VMObservation(
            report: VMReport(
                id: id, name: name, state: status.state, epoch: epoch.number, ownership: .unknown,
                isLeased: record.spec.isLeased, exit: status.exit, activity: activity,
                memoryBytes: record.spec.memory.bytes, vcpus: record.spec.vcpus),
            process: process)
    }
}

extension VMReport.Ownership {
    /// Nil for a VM whose life here is over: nobody needs to be told of it.
    fileprivate init?(_ kind: LedgerStanding.Kind) {
        switch kind {
        case .owned: self = .owned
        case .released: self = .released
        case .takenOver: self = .takenOver
        case .superseded: self = .superseded
        case .incoming: self = .incoming
        case .unknown: self = .unknown
        case .handedOver, .neverRan, .deleted: return nil
        }
    }
}
