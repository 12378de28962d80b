// One host in memory: its VMs, what its ledger says, what its agent will report.

import API
import Model

/// A VM on its way here.
struct Arrival {
    let vm: SimulatedVM
    let source: HostName
}

struct SimulatedHost {
    let name: HostName
    let cores: Int
    let memoryBytes: UInt64
    /// Of this life of its agent.
    var agentID = Identifier128.random()
    var sequence: UInt64 = 0
    var vms: [VMName: SimulatedVM] = [:]
    var arrivals: [MigrationID: Arrival] = [:]
    /// The highest epoch that its ledger knows of a VM that is not here.
    var epochs: [VMID: UInt64] = [:]
    /// Away from here, the oldest first.
    var migrations: [MigrationInfo] = []
    /// Ended, and not yet told in a heartbeat that was answered.
    var unreported: Set<MigrationID> = []
    var term: UInt64 = 0
    /// Its agent is gone: nothing is reported, nothing answered.
    var isSilent = false
    /// What shall go wrong, in this order.
    var failures: [SimulatedCommand: [SimulatedFailure]] = [:]

    init(name: HostName, cores: Int, memoryBytes: UInt64) {
        self.name = name
        self.cores = cores
        self.memoryBytes = memoryBytes
    }

    var memoryUsedBytes: UInt64 {
        vms.values.reduce(0) { $0 + ($1.state == .stopped ? 0 : $1.load.memoryUsedBytes) }
    }

    func findMigration(id: MigrationID) -> MigrationInfo? { migrations.first { $0.id == id } }

    mutating func storeMigration(_ migration: MigrationInfo) {
        if let index = migrations.firstIndex(where: { $0.id == migration.id }) {
            migrations[index] = migration
        } else {
            migrations.append(migration)
        }
        if migration.isOver { unreported.insert(migration.id) }
        if migrations.count > Limits.historyMax,
            let oldest = migrations.firstIndex(where: { $0.isOver && !unreported.contains($0.id) })
        {
            migrations.remove(at: oldest)
        }
    }

    mutating func heartbeat() -> Heartbeat {
        sequence += 1
        let busy = vms.values.reduce(0.05) { $0 + $1.cpuCores }
        // Waiting begins before the last core is busy.
        let waiting = max(0, busy / Double(cores) - 0.7) * 100
        let arriving = arrivals.map { id, arrival in
            var report = arrival.vm.makeVMReport(as: .incoming)
            report.state = .incoming
            report.cpuCores = nil
            report.peer = arrival.source
            report.migration = id
            return report
        }
        return Heartbeat(
            agentID: agentID, sequence: sequence, cpuCores: min(busy, Double(cores)),
            memoryUsedBytes: memoryUsedBytes,
            pressure: HostPressure(cpu: min(waiting, 100), memory: 0, io: 0),
            vms: vms.values.map { $0.makeVMReport() } + arriving,
            migrations: migrations.filter { !$0.isOver || unreported.contains($0.id) })
    }

    /// What a heartbeat told need not be told again.
    mutating func acknowledgeHeartbeat(_ heartbeat: Heartbeat) {
        for migration in heartbeat.migrations where migration.isOver {
            unreported.remove(migration.id)
        }
    }
}
