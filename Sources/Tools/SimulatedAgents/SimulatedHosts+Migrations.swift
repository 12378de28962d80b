// Migrations of simulated VMs: they take their time, change hosts and epochs, and may fail.

import API
import Host
import Model

extension SimulatedHosts {
    mutating func startMigration(
        for request: StartMigration, from source: HostName, now: Instant, unixMs: Int64,
        failure: FailureCode?
    ) throws(Problem) -> MigrationInfo {
        let id = request.id ?? .random()
        if let known = try findHost(named: source).findMigration(id: id) { return known }
        var vm = try findVM(named: request.vm, on: source)
        guard vm.migration == nil else {
            throw Problem(.vmBusy, detail: "\(vm.name) is being moved")
        }
        guard vm.state == .running || vm.state == .paused else {
            throw Problem(.wrongState, detail: "\(vm.name) is \(vm.state.rawValue)")
        }
        guard request.to != source, hosts[request.to] != nil else {
            throw Problem(.hostUnknown, detail: "no host \(request.to) to move to")
        }
        vm.migration = id
        hosts[source]?.vms[vm.name] = vm
        hosts[request.to]?.arrivals[id] = Arrival(vm: vm, source: source)
        let migration = MigrationInfo(
            id: id, vm: vm.name, vmID: vm.id, source: source, destination: request.to,
            startedAtMs: unixMs, state: .running)
        hosts[source]?.storeMigration(migration)
        scheduleEnd(
            of: id, from: source, at: now + migrationTime(vm.load.memoryUsedBytes), failure: failure
        )
        return migration
    }

    mutating func cancelMigration(id: MigrationID, on name: HostName) throws(Problem)
        -> MigrationInfo
    {
        guard let migration = try findHost(named: name).findMigration(id: id) else {
            throw Problem(.migrationNotFound, detail: "\(name) has no migration \(id)")
        }
        guard !migration.isOver else { return migration }
        underWay[id] = nil
        endMigration(
            migration, as: .cancelled, report: nil,
            failure: makeFailure(of: migration, code: .cancelled))
        return migration
    }

    /// What is due: the VM goes over, or stays.
    mutating func finishMigration(
        id: MigrationID, from source: HostName, failure code: FailureCode?
    ) {
        guard let migration = hosts[source]?.findMigration(id: id) else { return }
        var code = code
        if hosts[migration.destination]?.isSilent != false { code = code ?? .unreachable }
        if hosts[migration.destination]?.vms[migration.vm] != nil { code = .refusedNameExists }
        if let code {
            return endMigration(
                migration, as: .failed, report: nil, failure: makeFailure(of: migration, code: code)
            )
        }
        guard var vm = hosts[source]?.vms[migration.vm] else { return }
        vm.migration = nil
        vm.epoch += 1
        hosts[source]?.vms[vm.name] = nil
        hosts[source]?.epochs[vm.id] = vm.epoch
        hosts[migration.destination]?.vms[vm.name] = vm
        endMigration(migration, as: .succeeded, report: makeReport(for: vm), failure: nil)
    }

    private mutating func endMigration(
        _ migration: MigrationInfo, as state: MigrationInfo.State, report: ReportInfo?,
        failure: FailureInfo?
    ) {
        var migration = migration
        migration.state = state
        migration.report = report
        migration.failure = failure
        hosts[migration.source]?.vms[migration.vm]?.migration = nil
        hosts[migration.destination]?.arrivals[migration.id] = nil
        hosts[migration.source]?.storeMigration(migration)
    }

    private func makeFailure(of migration: MigrationInfo, code: FailureCode) -> FailureInfo {
        FailureInfo(
            code: code, phase: .preCopy, reason: code.summary,
            aftermath: "\(migration.vm) runs on at \(migration.source)", vmIsRunning: true)
    }

    private func makeReport(for vm: SimulatedVM) -> ReportInfo {
        var report = MigrationReport()
        report.total = migrationTime(vm.load.memoryUsedBytes)
        report.downtime = .milliseconds(4)
        report.predictedDowntime = .milliseconds(5)
        report.rounds = 3
        report.wireBytes = vm.load.memoryUsedBytes
        report.pageBytesSent = vm.load.memoryUsedBytes
        return ReportInfo(report)
    }
}
