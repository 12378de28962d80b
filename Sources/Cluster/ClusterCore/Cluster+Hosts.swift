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
        named name: HostName, as registration: HostRegistration, in context: inout Context
    ) throws(Problem) -> HeartbeatAnswer {
        if let problem = registration.problem { throw Problem(.invalid, detail: problem) }
        let known = records.hosts[name]
        guard known != nil || records.hosts.count < Limits.hostsMax else {
            throw Problem(
                .tooMany, detail: "the cluster has \(records.hosts.count) hosts, its limit")
        }
        let description = HostDescription(registration)
        let lease = settings.hostLease.wholeMilliseconds
        var host = known ?? HostRecord(name: name, description: description, leaseMs: lease)
        host.leaseMs = max(lease, host.silence == nil ? host.leaseMs : lease)
        host.description = description
        host.silence = nil
        storeHostRecord(host, in: &context)
        let now = context.now.uptime
        var observed = observations[name] ?? ObservedHost(at: now)
        observed.beginLife(of: registration.agentID, at: now)
        observations[name] = observed
        if !(known?.description.isSameForScheduler(as: description) ?? false) {
            do {
                try scheduling.rebuildState(from: records, observed: observations, at: context.now)
            } catch {
                throw Problem(.invalid, detail: "the scheduler cannot take this host: \(error)")
            }
        }
        return heartbeatAnswer(granting: .zero)
    }

    package mutating func receiveHeartbeat(
        _ heartbeat: Heartbeat, from name: HostName, in context: inout Context
    ) throws(Problem) -> HeartbeatAnswer {
        if let problem = heartbeat.problem { throw Problem(.invalid, detail: problem) }
        guard var host = records.hosts[name], var observed = observations[name],
            observed.isRegistered(agentID: heartbeat.agentID)
        else {
            var answer = heartbeatAnswer(granting: .zero)
            answer.wantsRegistration = true
            return answer
        }
        observed.grantLease(at: context.now.uptime)
        let gone = observed.receiveHeartbeat(heartbeat, at: context.now.uptime)
        observations[name] = observed
        guard let gone else { return heartbeatAnswer(granting: settings.hostLease) }
        if host.silence != nil {
            host.silence = nil
            storeHostRecord(host, in: &context)
        }
        for vm in gone { observations[vm]?.removeReport(from: name) }
        applyReports(of: heartbeat, from: name)
        reconcileVMs(of: heartbeat, from: name, in: &context)
        return heartbeatAnswer(granting: settings.hostLease)
    }

    private func heartbeatAnswer(granting lease: Duration) -> HeartbeatAnswer {
        HeartbeatAnswer(
            term: term.number, intervalMs: Int(settings.heartbeat.wholeMilliseconds),
            leaseMs: Int(lease.wholeMilliseconds))
    }

    private mutating func applyReports(of heartbeat: Heartbeat, from host: HostName) {
        var unmanaged: [VMID: VMReport] = [:]
        var vmUse = MeasuredUse.none
        for report in heartbeat.vms {
            guard observations[report.id] != nil else {
                unmanaged[report.id] = report
                continue
            }
            observations[report.id]?.recordReport(report, from: host)
            recordUse(of: report, on: host)
            vmUse.cores += report.cpuCores ?? 0
            vmUse.memoryBytes += Double(report.memoryUsedBytes ?? 0)
        }
        scheduling.replaceUnmanagedVMs(
            with: unmanaged, previous: observations.unmanagedVMs(on: host), on: host)
        observations.recordUnmanagedVMs(unmanaged, on: host)
        scheduling.recordOwnUse(from: heartbeat, of: host, vmUse: vmUse)
        for migration in heartbeat.migrations where migration.isOver {
            recordEnd(of: migration)
        }
    }

    private mutating func recordUse(of report: VMReport, on host: HostName) {
        guard records.vms[report.id]?.place?.host == host else { return }
        observations[report.id]?.addUseSample(from: report)
        if let use = observations[report.id]?.use { scheduling.setMeasuredUse(use, of: report.id) }
    }

    /// Only the migration that the VM's record orders is of interest.
    mutating func recordEnd(of migration: MigrationInfo) {
        guard records.vms[migration.vmID]?.move?.migration == migration.id else { return }
        observations[migration.vmID]?.migration.recordEnd(with: migration)
    }

    private mutating func reconcileVMs(
        of heartbeat: Heartbeat, from host: HostName, in context: inout Context
    ) {
        let affected = records.vms.identifiers(concerning: host).union(
            heartbeat.vms.map(\.id).filter { observations[$0] != nil })
        for vm in affected.sorted(by: { ($0.high, $0.low) < ($1.high, $1.low) }) {
            if let name = records.vms.recordName(of: vm) { reconcileVM(named: name, in: &context) }
        }
    }

    /// An operator states that nothing runs there. What follows is decided VM by VM.
    package mutating func fenceHost(
        named name: HostName, confirmedBy request: FenceHost, in context: inout Context
    ) throws(Problem) -> ClusterHost {
        var host = try hostRecord(named: name)
        guard request.confirm == name else {
            throw Problem(.notConfirmed, detail: "confirm with the host's name: \(name)")
        }
        guard var silence = host.silence else {
            throw Problem(
                .wrongState,
                detail:
                    "host \(name) is \(host.state.rawValue) and answers: only a host that is unreachable can be said to be off; drain it instead"
            )
        }
        silence.fence = .operator
        host.silence = silence
        storeFencedHost(host, in: &context)
        return try self.clusterHost(named: name, at: context.now)
    }

    private mutating func storeFencedHost(_ host: HostRecord, in context: inout Context) {
        storeHostRecord(host, in: &context)
        observations[host.name]?.markFenced(at: context.now.uptime)
        reconcileVMs(on: host.name, in: &context)
    }

    /// A host leaves the cluster permanently.
    package mutating func forgetHost(
        named name: HostName, in context: inout Context
    ) throws(Problem) {
        let host = try hostRecord(named: name)
        guard host.state == .maintenance || host.state == .unreachable else {
            throw Problem(
                .wrongState, detail: "host \(name) is \(host.state.rawValue): drain it first")
        }
        let users =
            records.vms.vmRecords(concerning: name)
            .filter { $0.place?.host == name || $0.start?.host == name || $0.move != nil }
            .map(\.name)
            + records.vms.all.filter { $0.policy.pinnedHost == name }.map(\.name)
        guard users.isEmpty else {
            throw Problem(
                .inUse,
                detail:
                    "host \(name) has VMs: \(users.sorted().map(\.text).joined(separator: ", "))")
        }
        for var vm in records.vms.vmRecords(concerning: name) {
            vm.retired.removeAll { $0.host == name }
            storeVMRecord(vm, in: &context)
            reconcileVM(named: vm.name, in: &context)
        }
        records.hosts.removeRecord(named: name, in: &context)
        observations.stopObserving(host: name)
        do {
            try scheduling.rebuildState(from: records, observed: observations, at: context.now)
        } catch {
            fatalError("a cluster with fewer hosts is refused by the scheduler: \(error)")
        }
    }

    func hostRecord(named name: HostName) throws(Problem) -> HostRecord {
        guard let host = records.hosts[name] else {
            throw Problem(.hostNotFound, detail: "the cluster has no host \(name)")
        }
        return host
    }
}

// MARK: - Time

extension Cluster {
    /// Time has passed.
    package mutating func advanceTime(in context: inout Context) {
        for name in records.hosts.sortedNames { checkSilence(of: name, in: &context) }
        for vm in commands.removeDueVMs(at: context.now.uptime, limit: Limits.reconciledPerTick) {
            if let name = records.vms.recordName(of: vm) { reconcileVM(named: name, in: &context) }
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
            storeHostRecord(host, in: &context)
            reconcileVMs(on: name, in: &context)
        }
        let wait = settings.fenceAfter(lease: .milliseconds(host.leaseMs))
        guard host.silence?.fence == nil, now.uptime - observed.grantedAt > wait else { return }
        host.silence?.fence = .lease
        storeFencedHost(host, in: &context)
    }

    private mutating func reconcileVMs(on host: HostName, in context: inout Context) {
        for vm in records.vms.vmRecords(concerning: host) {
            reconcileVM(named: vm.name, in: &context)
        }
    }
}

extension Heartbeat {
    var problem: String? {
        func isOutOfRange(value: Double?) -> Bool {
            value.map { !(0...1e15).contains($0) } ?? false
        }
        if isOutOfRange(value: cpuCores * 1e6) || memoryUsedBytes > 1 << 50 {
            return "a host's use is out of range"
        }
        if vms.count > Limits.vmsOfHostMax { return "more than \(Limits.vmsOfHostMax) VMs" }
        for vm in vms {
            if isOutOfRange(value: vm.cpuCores.map { $0 * 1e6 })
                || isOutOfRange(value: vm.dirtyBytesPerSecond)
                || (vm.memoryUsedBytes ?? 0) > 1 << 50 || vm.memoryBytes > 1 << 50
                || !(0...4096).contains(vm.vcpus)
            {
                return "the figures of VM \(vm.name) are out of range"
            }
        }
        return nil
    }
}
