// Hosts: they register, are heard, fall silent, are fenced, come back.
//
//                    heartbeat                     no heartbeat for three intervals
//   (unknown) ─register─▶ active ─────────────────────▶ unreachable ──lease + margin──▶ fenced by lease
//                          ▲                                │                             │
//                          └────────── heartbeat ───────────┴── an operator's statement ─▶ fenced
//
// A lease ends by the host's clock before it ends by this one: the host counts from the moment at which it sent the
// heartbeat, this side from the moment at which it answered. A new leader counts from the moment at which it began to
// lead, for every lease that its predecessor granted.

package import API
package import Model
import Placement

extension Cluster {
    package mutating func registerHost(
        _ name: HostName, as registration: HostRegistration, in context: inout Context
    ) throws(Problem) -> HeartbeatAnswer {
        if let problem = registration.problem { throw Problem(.invalid, problem) }
        let known = records.hosts[name]
        guard known != nil || records.hosts.count < Limits.hostsMax else {
            throw Problem(.tooMany, "the cluster has \(records.hosts.count) hosts, its limit")
        }
        let description = HostDescription(registration)
        let lease = settings.hostLease.wholeMilliseconds
        var host = known ?? HostRecord(name: name, description: description, leaseMs: lease)
        host.leaseMs = max(lease, host.silence == nil ? host.leaseMs : lease)
        host.description = description
        host.silence = nil
        store(host, in: &context)
        let now = context.now.uptime
        var observed = observations[name] ?? ObservedHost(at: now)
        observed.beginLife(of: registration.agentID, at: now)
        observations[name] = observed
        if !(known?.description.isSameForScheduler(as: description) ?? false) {
            do { try scheduling.rebuild(from: records, observations, at: context.now) } catch {
                throw Problem(.invalid, "the scheduler cannot take this host: \(error)")
            }
        }
        return answer(granting: .zero)
    }

    package mutating func receiveHeartbeat(
        _ heartbeat: Heartbeat, from name: HostName, in context: inout Context
    ) throws(Problem) -> HeartbeatAnswer {
        if let problem = heartbeat.problem { throw Problem(.invalid, problem) }
        guard var host = records.hosts[name], var observed = observations[name],
            observed.isRegistered(heartbeat.agentID)
        else {
            var answer = answer(granting: .zero)
            answer.wantsRegistration = true
            return answer
        }
        observed.grantLease(at: context.now.uptime)
        let gone = observed.receive(heartbeat, at: context.now.uptime)
        observations[name] = observed
        guard let gone else { return answer(granting: settings.hostLease) }
        if host.silence != nil {
            host.silence = nil
            store(host, in: &context)
        }
        for vm in gone { observations[vm]?.removeReport(from: name) }
        apply(heartbeat, from: name)
        reconcileVMs(of: heartbeat, from: name, in: &context)
        return answer(granting: settings.hostLease)
    }

    private func answer(granting lease: Duration) -> HeartbeatAnswer {
        HeartbeatAnswer(
            term: term.number, intervalMs: Int(settings.heartbeat.wholeMilliseconds),
            leaseMs: Int(lease.wholeMilliseconds))
    }

    private mutating func apply(_ heartbeat: Heartbeat, from host: HostName) {
        var unmanaged: [VMID: VMReport] = [:]
        var vmUse = MeasuredUse.none
        for report in heartbeat.vms {
            guard observations[report.id] != nil else {
                unmanaged[report.id] = report
                continue
            }
            observations[report.id]?.record(report, from: host)
            recordUse(of: report, on: host)
            vmUse.cores += report.cpuCores ?? 0
            vmUse.memoryBytes += Double(report.memoryUsedBytes ?? 0)
        }
        scheduling.showUnmanaged(
            unmanaged, insteadOf: observations.unmanagedVMs(on: host), on: host)
        observations.recordUnmanaged(unmanaged, on: host)
        scheduling.addUse(heartbeat, of: host, vms: vmUse)
        for migration in heartbeat.migrations where migration.isOver {
            recordEnd(of: migration)
        }
    }

    private mutating func recordUse(of report: VMReport, on host: HostName) {
        guard records.vms[report.id]?.place?.host == host else { return }
        observations[report.id]?.addUse(of: report)
        if let use = observations[report.id]?.use { scheduling.setUse(use, of: report.id) }
    }

    /// Only the migration that the VM's record orders is of interest.
    mutating func recordEnd(of migration: MigrationInfo) {
        guard records.vms[migration.vmID]?.move?.migration == migration.id else { return }
        observations[migration.vmID]?.migration.recordEnd(migration)
    }

    private mutating func reconcileVMs(
        of heartbeat: Heartbeat, from host: HostName, in context: inout Context
    ) {
        let affected = records.vms.identifiers(concerning: host).union(
            heartbeat.vms.map(\.id).filter { observations[$0] != nil })
        for vm in affected.sorted(by: { ($0.high, $0.low) < ($1.high, $1.low) }) {
            if let name = records.vms.name(of: vm) { reconcile(name, in: &context) }
        }
    }

    /// An operator states that nothing runs there. What follows is decided VM by VM.
    package mutating func fenceHost(
        _ name: HostName, confirmedBy request: FenceHost, in context: inout Context
    ) throws(Problem) -> ClusterHost {
        var host = try hostRecord(named: name)
        guard request.confirm == name else {
            throw Problem(.notConfirmed, "confirm with the host's name: \(name)")
        }
        guard var silence = host.silence else {
            throw Problem(
                .wrongState,
                "host \(name) is \(host.state.rawValue) and answers: only a host that is unreachable can be said to be off; drain it instead"
            )
        }
        silence.fence = .operator
        host.silence = silence
        storeFenced(host, in: &context)
        return try self.host(named: name, at: context.now)
    }

    private mutating func storeFenced(_ host: HostRecord, in context: inout Context) {
        store(host, in: &context)
        observations[host.name]?.markFenced(at: context.now.uptime)
        reconcileVMs(on: host.name, in: &context)
    }

    /// A host leaves the cluster permanently.
    package mutating func forgetHost(
        _ name: HostName, in context: inout Context
    ) throws(Problem) {
        let host = try hostRecord(named: name)
        guard host.state == .maintenance || host.state == .unreachable else {
            throw Problem(.wrongState, "host \(name) is \(host.state.rawValue): drain it first")
        }
        let users =
            records.vms.records(concerning: name)
            .filter { $0.place?.host == name || $0.start?.host == name || $0.move != nil }
            .map(\.name)
            + records.vms.all.filter { $0.policy.pinnedHost == name }.map(\.name)
        guard users.isEmpty else {
            throw Problem(
                .inUse,
                "host \(name) has VMs: \(users.sorted().map(\.text).joined(separator: ", "))")
        }
        for var vm in records.vms.records(concerning: name) {
            vm.retired.removeAll { $0.host == name }
            store(vm, in: &context)
            reconcile(vm.name, in: &context)
        }
        records.hosts.remove(name, in: &context)
        observations.stopObserving(host: name)
        do { try scheduling.rebuild(from: records, observations, at: context.now) } catch {
            fatalError("a cluster with fewer hosts is refused by the scheduler: \(error)")
        }
    }

    func hostRecord(named name: HostName) throws(Problem) -> HostRecord {
        guard let host = records.hosts[name] else {
            throw Problem(.hostNotFound, "the cluster has no host \(name)")
        }
        return host
    }
}

// MARK: - Time

extension Cluster {
    /// Time has passed.
    package mutating func tick(in context: inout Context) {
        for name in records.hosts.sortedNames { checkSilence(of: name, in: &context) }
        for vm in commands.takeDue(at: context.now.uptime, max: Limits.reconciledPerTick) {
            if let name = records.vms.name(of: vm) { reconcile(name, in: &context) }
        }
        advanceOperations(in: &context)
        balanceIfDue(in: &context)
    }

    private mutating func checkSilence(of name: HostName, in context: inout Context) {
        guard var host = records.hosts[name], let observed = observations[name] else { return }
        let now = context.now
        if host.silence == nil {
            guard now.uptime - observed.heardAt > settings.silentAfter else { return }
            host.silence = HostRecord.Silence(sinceMs: now.wallMs)
            store(host, in: &context)
            reconcileVMs(on: name, in: &context)
        }
        let wait = settings.fenceAfter(lease: .milliseconds(host.leaseMs))
        guard host.silence?.fence == nil, now.uptime - observed.grantedAt > wait else { return }
        host.silence?.fence = .lease
        storeFenced(host, in: &context)
    }

    private mutating func reconcileVMs(on host: HostName, in context: inout Context) {
        for vm in records.vms.records(concerning: host) { reconcile(vm.name, in: &context) }
    }
}

extension Heartbeat {
    var problem: String? {
        func isBad(_ value: Double?) -> Bool { value.map { !(0...1e15).contains($0) } ?? false }
        if isBad(cpuCores * 1e6) || memoryUsedBytes > 1 << 50 {
            return "a host's use is out of range"
        }
        if vms.count > Limits.vmsOfHostMax { return "more than \(Limits.vmsOfHostMax) VMs" }
        for vm in vms {
            if isBad(vm.cpuCores.map { $0 * 1e6 }) || isBad(vm.dirtyBytesPerSecond)
                || (vm.memoryUsedBytes ?? 0) > 1 << 50 || vm.memoryBytes > 1 << 50
                || !(0...4096).contains(vm.vcpus)
            {
                return "the figures of VM \(vm.name) are out of range"
            }
        }
        return nil
    }
}
