// A host of the simulated world: its machine, its agent, and the ledger that outlives both.

import API
import ClusterCore
import Model

/// A VM as a host has it.
struct SimCopy {
    var id: VMID
    var name: VMName
    var epoch: UInt64
    var ownership: VMReport.Ownership
    var state: VMState
    var isLeased: Bool
    var memoryBytes: UInt64
    var vcpus: Int
    var peer: HostName?
    var migration: MigrationID?
    var exit: VMExit?
    /// Its process ended while it stood still after a release: it can be owned again, but not run on.
    var isDead = false

    var isRunning: Bool { state == .running && (ownership == .owned || ownership == .takenOver) }
}

struct SimHost {
    let name: HostName
    var cores = 8
    var memoryBytes: UInt64 = 32 << 30
    var zone = ""
    /// The machine has power.
    var isUp = true
    /// The controller and the agent hear each other.
    var isConnected = true
    var agentID: Identifier128
    var isRegistered = false
    var sequence: UInt64 = 0
    var term: UInt64 = 0
    var leaseEnd = Duration.zero
    var copies: [VMID: SimCopy] = [:]
    /// The highest epoch that the ledger has ever known of a VM.
    var epochs: [VMID: UInt64] = [:]
    var migrations: [MigrationID: MigrationInfo] = [:]
    /// Ended, and not yet told.
    var untold: Set<MigrationID> = []
    /// Refuses to make VMs.
    var refusesCreation = false
    /// Refuses to take migrations.
    var refusesArrivals = false

    var registration: HostRegistration {
        HostRegistration(
            agentID: agentID, agentVersion: "1", apiAddress: "\(name):1", peerAddress: "\(name):2",
            cores: cores, memoryBytes: memoryBytes, memoryReserveBytes: 0,
            cpuFeatures: ["sse2", "avx"], zone: zone)
    }

    func report(_ copy: SimCopy) -> VMReport {
        let isRunning = copy.isRunning
        return VMReport(
            id: copy.id, name: copy.name, state: copy.state, epoch: copy.epoch,
            ownership: copy.ownership, peer: copy.peer, migration: copy.migration,
            cpuCores: isRunning ? copy.cores : 0, memoryUsedBytes: isRunning ? copy.memoryBytes : 0,
            dirtyBytesPerSecond: isRunning ? 1e6 : nil, isLeased: copy.isLeased, exit: copy.exit,
            activity: copy.migration.flatMap { migrations[$0] }.flatMap {
                $0.isOver ? nil : "migrating to \($0.destination)"
            }, memoryBytes: copy.memoryBytes, vcpus: copy.vcpus)
    }

    func info(_ copy: SimCopy) -> VMInfo {
        let spec = VMSpec(
            name: copy.name, memory: ByteCount(copy.memoryBytes), vcpus: copy.vcpus,
            isLeased: copy.isLeased)
        var info = VMInfo(
            id: copy.id, host: name, state: copy.state, spec: spec, epoch: copy.epoch)
        info.exit = copy.exit
        return info
    }

    mutating func heartbeat() -> Heartbeat {
        sequence += 1
        let running = copies.values.filter(\.isRunning)
        return Heartbeat(
            agentID: agentID, sequence: sequence,
            cpuCores: running.reduce(0) { $0 + $1.cores },
            memoryUsedBytes: running.reduce(0) { $0 + $1.memoryBytes },
            vms: copies.values.sorted { $0.name < $1.name }.map { report($0) },
            migrations: migrations.values.filter { !$0.isOver || untold.contains($0.id) }
                .sorted { $0.id.high < $1.id.high })
    }

    mutating func set(_ copy: SimCopy) {
        copies[copy.id] = copy
        epochs[copy.id] = max(epochs[copy.id] ?? 0, copy.epoch)
    }

    /// Leased VMs stop for good when the lease ends.
    mutating func endLease(_ now: Duration) {
        guard isUp, now >= leaseEnd else { return }
        for (id, copy) in copies where copy.isLeased {
            if copy.ownership == .released { copies[id]?.isDead = true }
            guard copy.isRunning else { continue }
            copies[id]?.state = .failed
            copies[id]?.exit = VMExit(reason: .hostFailure, detail: "the host's lease ended")
        }
    }
}

extension SimCopy {
    /// Every VM keeps the same part of its vCPUs busy, for ever.
    var cores: Double { Double(vcpus) * Double(id.low % 100) / 100 }
}
