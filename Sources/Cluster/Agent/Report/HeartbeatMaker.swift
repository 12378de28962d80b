// The contents of a heartbeat: this host's load, its VMs and its migrations at one moment.
//
// No heartbeat waits for a ferry-vmm: one that hangs must not make its host look dead. The status of guests is read
// separately, and a change rings for another heartbeat.

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
    private let migrations: OutgoingMigrations
    private var sequence: UInt64 = 0
    private var hostMeter = CPUMeter()
    private var meters: [VMID: VMMeter] = [:]
    /// VMs whose status is being read.
    private var refreshing: Set<VMID> = []

    /// A VM that boots again has a new process, whose CPU time begins at zero.
    private struct VMMeter {
        let processID: Int32
        var meter = CPUMeter()
    }

    init(inventory: VMInventory, migrations: OutgoingMigrations) {
        self.inventory = inventory
        self.migrations = migrations
        hostMeter.recordReading(cpuTime: HostLoad.readFromProc().busyTime, at: .now)
    }

    /// The next heartbeat, and the news of migrations in it: pass it to `markReported` when the heartbeat is answered.
    func makeHeartbeat() async -> (heartbeat: Heartbeat, news: MigrationNews) {
        let vms = await observeVMs()
        let (migrating, news) = await migrations.makeReport()
        let ledger = inventory.context.ledger
        let processes = vms.compactMap { vm in vm.process.map { (vm.report.id, $0) } }
        // Read after the VMs: a VM that has left by now has an ownership that says so.
        let sample = await runOnThread(named: "sample") { Sample(ledger: ledger, vms: processes) }
        hostMeter.recordReading(cpuTime: sample.host.busyTime, at: sample.at)
        updateMeters(from: sample)
        var reports = vms.compactMap { makeVMReport(on: $0, from: sample, migrations: migrating) }
        reports += await reportsOnLedgerRecords(
            in: sample, except: Set(vms.map(\.report.id)))
        sequence += 1
        let heartbeat = Heartbeat(
            agentID: agentID, sequence: sequence, cpuCores: hostMeter.cores ?? 0,
            memoryUsedBytes: sample.host.memoryUsedBytes, pressure: sample.host.pressure,
            vms: reports, migrations: migrating)
        return (sharesMachine ? heartbeat.withVMsAlone : heartbeat, news)
    }

    private var sharesMachine: Bool {
        inventory.context.cluster.isOnSharedMachine(host: inventory.context.name)
    }

    private func observeVMs() async -> [VMObservation] {
        var observations: [VMObservation] = []
        for vm in await inventory.sortedVMs() {
            observations.append(await vm.observation)
            if refreshing.insert(vm.id).inserted { Task { await refreshStatus(of: vm) } }
        }
        return observations
    }

    /// For the next heartbeat.
    private func refreshStatus(of vm: VirtualMachine) async {
        await vm.refreshStatus()
        refreshing.remove(vm.id)
    }

    private func updateMeters(from sample: Sample) {
        var present: [VMID: VMMeter] = [:]
        for (vm, process) in sample.processes {
            let known = meters[vm].flatMap { $0.processID == process.id ? $0 : nil }
            var meter = known ?? VMMeter(processID: process.id)
            if let time = process.cpuTime {
                meter.meter.recordReading(cpuTime: time, at: sample.at)
            }
            present[vm] = meter
        }
        meters = present
    }

    /// Nil for a VM that is not here any more, or not yet.
    private func makeVMReport(
        on vm: VMObservation, from sample: Sample, migrations: [MigrationInfo]
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
        let progress = migrations.first { $0.vmID == report.id && !$0.isOver }?.progress
        report.dirtyBytesPerSecond = progress?.dirtyPagesPerSecond.map { $0 * Double(pageBytes) }
        return report
    }

    /// VMs with an unresolved ledger record of which nothing exists here.
    private func reportsOnLedgerRecords(
        in sample: Sample, except known: Set<VMID>
    ) async -> [VMReport] {
        var reports: [VMReport] = []
        for (id, ownership) in sample.ownerships where !known.contains(id) {
            let standing = LedgerStanding(ownership)
            guard let kind = VMReport.Ownership(standing.kind), kind != .superseded else {
                continue
            }
            // The VM may be arriving or leaving.
            let ledger = inventory.context.ledger
            guard await !inventory.containsVM(withID: id), ledger.ownership(of: id) == ownership
            else {
                continue
            }
            reports.append(
                VMReport(
                    id: id, name: VMRecord(lost: id).name, state: .stopped,
                    epoch: standing.epoch, ownership: kind, peer: standing.peer,
                    migration: standing.migration, memoryBytes: 0, vcpus: 0))
            if reports.count == Limits.vmsMax { break }
        }
        return reports
    }
}

extension Heartbeat {
    /// Where several hosts share one machine, each reports the load of its VMs only. With the load of the whole machine
    /// all of them would look equally busy, and no migration would change that.
    fileprivate var withVMsAlone: Heartbeat {
        var heartbeat = self
        heartbeat.cpuCores = vms.reduce(0) { $0 + ($1.cpuCores ?? 0) }
        heartbeat.memoryUsedBytes = vms.reduce(0) { $0 + ($1.memoryUsedBytes ?? 0) }
        heartbeat.pressure = HostPressure()
        return heartbeat
    }
}

/// The readings for a heartbeat. Making one blocks.
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

    init(ledger: LedgerFile, vms: [(VMID, VMProcess)]) {
        ownerships = ledger.ownerships
        host = HostLoad.readFromProc()
        at = .now
        processes = Dictionary(
            vms.map { vm, process in
                // A memory file that cannot be read belongs to a process that is ending.
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

/// A VM as its owner knows it.
struct VMObservation: Sendable {
    /// Without the values of a `Sample`.
    var report: VMReport
    var process: VMProcess?
}

extension VirtualMachine {
    var observation: VMObservation {
        VMObservation(
            report: VMReport(
                id: id, name: name, state: guest.status.state, epoch: epoch.number,
                ownership: .unknown,
                isLeased: record.spec.isLeased, exit: guest.status.exit,
                activity: activity?.description,
                memoryBytes: record.spec.memory.bytes, vcpus: record.spec.vcpus),
            process: guest.process)
    }
}

extension VMReport.Ownership {
    /// Nil for a VM that has left this host: controllers need no report on it.
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
