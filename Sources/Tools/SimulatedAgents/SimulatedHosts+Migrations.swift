// Migrations of simulated VMs: they take their time, change hosts and epochs, and may fail.

import API
import Host
import Model

extension SimulatedHosts {
    mutating func start(
        _ request: StartMigration, from source: HostName, now: Instant, unixMs: Int64,
        _ failure: FailureCode?
    ) throws(Problem) -> MigrationInfo {
        let id = request.id ?? .random()
        if let known = try host(source).migration(id) { return known }
        var vm = try vm(request.vm, on: source)
        guard vm.migration == nil else { throw Problem(.vmBusy, "\(vm.name) is being moved") }
        guard vm.state == .running || vm.state == .paused else {
            throw Problem(.wrongState, "\(vm.name) is \(vm.state.rawValue)")
        }
        guard request.to != source, hosts[request.to] != nil else {
            throw Problem(.hostUnknown, "no host \(request.to) to move to")
        }
        vm.migration = id
        hosts[source]?.vms[vm.name] = vm
        hosts[request.to]?.arrivals[id] = Arrival(vm: vm, source: source)
        let migration = MigrationInfo(
            id: id, vm: vm.name, vmID: vm.id, source: source, destination: request.to,
            startedAtMs: unixMs, state: .running)
        hosts[source]?.remember(migration)
        schedule(
            id, from: source, end: now + migrationTime(vm.load.memoryUsedBytes), failure)
        return migration
    }

    mutating func cancel(_ id: MigrationID, on name: HostName) throws(Problem) -> MigrationInfo {
        guard let migration = try host(name).migration(id) else {
            throw Problem(.migrationNotFound, "\(name) has no migration \(id)")
        }
        guard !migration.isOver else { return migration }
        underWay[id] = nil
        end(migration, .cancelled, report: nil, failure(of: migration, .cancelled))
        return migration
    }

    /// What is due: the VM goes over, or stays.
    mutating func finish(_ id: MigrationID, from source: HostName, _ code: FailureCode?) {
        guard let migration = hosts[source]?.migration(id) else { return }
        var code = code
        if hosts[migration.destination]?.isSilent != false { code = code ?? .unreachable }
        if hosts[migration.destination]?.vms[migration.vm] != nil { code = .refusedNameExists }
        if let code {
            return end(migration, .failed, report: nil, failure(of: migration, code))
        }
        guard var vm = hosts[source]?.vms[migration.vm] else { return }
        vm.migration = nil
        vm.epoch += 1
        hosts[source]?.vms[vm.name] = nil
        hosts[source]?.epochs[vm.id] = vm.epoch
        hosts[migration.destination]?.vms[vm.name] = vm
        end(migration, .succeeded, report: report(of: vm), nil)
    }

    private mutating func end(
        _ migration: MigrationInfo, _ state: MigrationInfo.State, report: ReportInfo?,
        _ failure: FailureInfo?
    ) {
        var migration = migration
        migration.state = state
        migration.report = report
        migration.failure = failure
        hosts[migration.source]?.vms[migration.vm]?.migration = nil
        hosts[migration.destination]?.arrivals[migration.id] = nil
        hosts[migration.source]?.remember(migration)
    }

    private func failure(of migration: MigrationInfo, _ code: FailureCode) -> FailureInfo {
        FailureInfo(
            code: code, phase: .preCopy, reason: code.summary,
            aftermath: "\(migration.vm) runs on at \(migration.source)", vmIsRunning: true)
    }

    private func report(of vm: SimulatedVM) -> ReportInfo {
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
