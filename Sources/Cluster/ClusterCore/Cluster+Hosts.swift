// Hosts: they register, are heard, fall silent, are fenced, come back.
//
//                    heartbeat                     no heartbeat for three intervals
//   (unknown) ─register─▶ active ─────────────────────▶ unreachable ──lease + margin──▶ fenced by lease
//                          ▲                                │                             │
//                          └────────── heartbeat ───────────┴── an operator's word ──▶ fenced
//
// A lease ends by the host's clock before it ends by this one: the host counts from the moment at which it sent the
// heartbeat, this side from the moment at which it answered. Who begins to lead counts from then, for whatever its
// predecessor granted.

package import API
package import Model
import Placement

extension Cluster {
    package mutating func register(
        _ name: HostName, _ registration: HostRegistration, _ now: Moment, _ output: inout Output
    ) throws(Problem) -> HeartbeatAnswer {
        if let problem = registration.problem { throw Problem(.invalid, problem) }
        guard hosts[name] != nil || hosts.count < Limits.hostsMax else {
            throw Problem(.tooMany, "the cluster has \(hosts.count) hosts, its limit")
        }
        let lease = settings.hostLease.wholeMilliseconds
        var host =
            hosts[name] ?? HostRecord(name: name, registration: registration, leaseMs: lease)
        host.leaseMs = max(lease, host.silence == nil ? host.leaseMs : lease)
        let isNew = hosts[name] == nil
        let changesScheduler = isNew || !host.registration.isSameForScheduler(as: registration)
        host.registration = registration
        host.silence = nil
        save(host, &output)
        hostNames.insert(name)
        var sight = hostSights[name] ?? HostSight(heardAt: now.uptime, grantedAt: now.uptime)
        sight.agentID = registration.agentID
        sight.sequence = 0
        sight.heardAt = now.uptime
        // What it has it says with its next heartbeat.
        sight.heartbeats = 0
        hostSights[name] = sight
        if changesScheduler {
            do { try rebuildScheduler(now) } catch {
                throw Problem(.invalid, "the scheduler cannot take this host: \(error)")
            }
        }
        return answer(grants: .zero)
    }

    package mutating func heartbeat(
        of name: HostName, _ heartbeat: Heartbeat, _ now: Moment, _ output: inout Output
    ) throws(Problem) -> HeartbeatAnswer {
        if let problem = heartbeat.problem { throw Problem(.invalid, problem) }
        guard let host = hosts[name], var sight = hostSights[name],
            sight.agentID == heartbeat.agentID
        else {
            var answer = answer(grants: .zero)
            answer.wantsRegistration = true
            return answer
        }
        sight.grantedAt = now.uptime
        guard heartbeat.sequence > sight.sequence else {
            hostSights[name] = sight
            return answer(grants: settings.hostLease)
        }
        sight.sequence = heartbeat.sequence
        sight.heardAt = now.uptime
        sight.heartbeats += 1
        sight.cpuCores = heartbeat.cpuCores
        sight.memoryUsedBytes = heartbeat.memoryUsedBytes
        sight.pressure = heartbeat.pressure
        sight.migrations = Dictionary(
            heartbeat.migrations.map { ($0.id, $0) }, uniquingKeysWith: { _, last in last })
        let gone = sight.reported
        sight.reported = Set(heartbeat.vms.map(\.id))
        hostSights[name] = sight
        if host.silence != nil {
            var host = host
            host.silence = nil
            save(host, &output)
        }
        for vm in gone.subtracting(sight.reported) { vmSights[vm]?.reports[name] = nil }
        take(heartbeat, of: name, now, &output)
        return answer(grants: settings.hostLease)
    }

    private func answer(grants lease: Duration) -> HeartbeatAnswer {
        HeartbeatAnswer(
            term: term.number, intervalMs: Int(settings.heartbeat.wholeMilliseconds),
            leaseMs: Int(lease.wholeMilliseconds))
    }

    private mutating func take(
        _ heartbeat: Heartbeat, of host: HostName, _ now: Moment, _ output: inout Output
    ) {
        var strangers: [VMID: VMReport] = [:]
        var vmUse = MeasuredUse.none
        for report in heartbeat.vms {
            guard vmSights[report.id] != nil else {
                strangers[report.id] = report
                continue
            }
            vmSights[report.id]?.reports[host] = report
            measure(report, on: host)
            vmUse.cores += report.cpuCores ?? 0
            vmUse.memoryBytes += Double(report.memoryUsedBytes ?? 0)
        }
        showStrangers(strangers, on: host)
        measure(host, heartbeat, vms: vmUse)
        for migration in heartbeat.migrations where migration.isOver {
            vmSights[migration.vmID]?.movesEnded[migration.id] = migration
        }
        let affected = concerned[host, default: []].union(
            heartbeat.vms.map(\.id).filter { vmSights[$0] != nil })
        for vm in affected.sorted(by: { ($0.high, $0.low) < ($1.high, $1.low) }) {
            if let name = names[vm] { reconcile(name, now, &output) }
        }
    }

    /// An operator's word: nothing runs there. What comes of it is decided VM by VM.
    package mutating func fence(
        _ name: HostName, _ request: FenceHost, _ now: Moment, _ output: inout Output
    ) throws(Problem) -> ClusterHost {
        var host = try hostRecord(name)
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
        save(host, &output)
        hostSights[name]?.fencedAt = now.uptime
        reconcileAll(on: name, now, &output)
        return try self.host(name, now)
    }

    /// A host leaves the cluster for good.
    package mutating func forget(
        _ name: HostName, _ now: Moment, _ output: inout Output
    ) throws(Problem) {
        let host = try hostRecord(name)
        guard host.state == .maintenance || host.state == .unreachable else {
            throw Problem(.wrongState, "host \(name) is \(host.state.rawValue): drain it first")
        }
        let users =
            concerned[name, default: []].compactMap { names[$0].flatMap { vms[$0] } }
            .filter { $0.place?.host == name || $0.start?.host == name || $0.move != nil }
            .map(\.name)
            + vms.values.filter { $0.policy.pinnedHost == name }.map(\.name)
        guard users.isEmpty else {
            throw Problem(
                .inUse,
                "host \(name) has VMs: \(users.sorted().map(\.text).joined(separator: ", "))")
        }
        for vm in concerned[name, default: []].compactMap({ names[$0].flatMap { vms[$0] } }) {
            var vm = vm
            vm.retired.removeAll { $0.host == name }
            save(vm, &output, now)
            reconcile(vm.name, now, &output)
        }
        hosts[name] = nil
        hostSights[name] = nil
        concerned[name] = nil
        unmanaged[name] = nil
        hostNames.remove(name)
        output.note(.host(name))
        do { try rebuildScheduler(now) } catch {
            fatalError("a cluster with fewer hosts is refused by the scheduler: \(error)")
        }
    }

    /// Time went by.
    package mutating func tick(_ now: Moment, _ output: inout Output) {
        for name in hostNames.items { watch(name, now, &output) }
        let due = waiting.filter { isDue($0, now) }
        for vm in due.sorted(by: { ($0.high, $0.low) < ($1.high, $1.low) })
            .prefix(Limits.reconciledPerTick)
        {
            waiting.remove(vm)
            if let name = names[vm] { reconcile(name, now, &output) }
        }
        tickOperations(now, &output)
        tickBalance(now, &output)
    }

    private mutating func watch(_ name: HostName, _ now: Moment, _ output: inout Output) {
        guard var host = hosts[name], let sight = hostSights[name] else { return }
        if host.silence == nil {
            guard now.uptime - sight.heardAt > settings.silentAfter else { return }
            host.silence = HostRecord.Silence(sinceMs: now.wallMs)
            save(host, &output)
            reconcileAll(on: name, now, &output)
        }
        let wait = settings.fenceAfter(lease: .milliseconds(host.leaseMs))
        guard host.silence?.fence == nil, now.uptime - sight.grantedAt > wait else { return }
        host.silence?.fence = .lease
        save(host, &output)
        hostSights[name]?.fencedAt = now.uptime
        reconcileAll(on: name, now, &output)
    }

    mutating func reconcileAll(on host: HostName, _ now: Moment, _ output: inout Output) {
        for vm in concerned[host, default: []].compactMap({ names[$0] }).sorted() {
            reconcile(vm, now, &output)
        }
    }

    func hostRecord(_ name: HostName) throws(Problem) -> HostRecord {
        guard let host = hosts[name] else {
            throw Problem(.hostNotFound, "the cluster has no host \(name)")
        }
        return host
    }

    /// It answers, and has said since this controller leads what it has.
    func isHeard(_ host: HostName) -> Bool {
        hosts[host]?.silence == nil && (hostSights[host]?.heartbeats ?? 0) > 0
    }

    /// Nothing of a VM that was there runs any more.
    func isFenced(_ host: HostName, leased: Bool) -> Bool {
        switch hosts[host]?.silence?.fence {
        case .operator: true
        case .lease: leased
        case nil: false
        }
    }
}

// MARK: - Measuring

extension Cluster {
    private mutating func measure(_ report: VMReport, on host: HostName) {
        guard var sight = vmSights[report.id],
            names[report.id].flatMap({ vms[$0]?.place?.host }) == host
        else { return }
        sight.cpuCores = smooth(sight.cpuCores, report.cpuCores)
        sight.memoryUsedBytes = smooth(
            sight.memoryUsedBytes, report.memoryUsedBytes.map { Double($0) })
        if let rate = report.dirtyBytesPerSecond { sight.dirtyBytesPerSecond = rate }
        vmSights[report.id] = sight
        guard let row = scheduler.vm(report.id), let cores = sight.cpuCores,
            let memory = sight.memoryUsedBytes
        else { return }
        setUse(MeasuredUse(cores: cores, memoryBytes: memory), of: row)
        scheduler.setDirtyRate(sight.dirtyBytesPerSecond, of: row)
    }

    /// What a host does beside its VMs.
    private mutating func measure(_ host: HostName, _ heartbeat: Heartbeat, vms: MeasuredUse) {
        guard let index = scheduler.host(named: host.text) else { return }
        let before = scheduler.hosts[index].ownUse
        let cores = max(0, heartbeat.cpuCores - vms.cores)
        let memory = max(0, Double(heartbeat.memoryUsedBytes) - vms.memoryBytes)
        let use = MeasuredUse(
            cores: smooth(before.cores, cores) ?? cores,
            memoryBytes: smooth(before.memoryBytes, memory) ?? memory)
        do { try scheduler.setOwnUse(use, of: index) } catch {
            fatalError("a checked heartbeat's use is refused: \(error)")
        }
    }

    private mutating func setUse(_ use: MeasuredUse, of row: VMIndex) {
        do { try scheduler.setUse(use, of: row) } catch {
            fatalError("a checked heartbeat's use is refused: \(error)")
        }
    }

    private func smooth(_ before: Double?, _ now: Double?) -> Double? {
        guard let now else { return before }
        guard let before else { return now }
        return before + (now - before) * Limits.smoothing
    }
}

extension HostRegistration {
    /// The first thing wrong with it; nil when it can be taken.
    var problem: String? {
        func isWord(_ text: String) -> Bool {
            text.utf8.count <= Limits.wordBytesMax
                && text.utf8.allSatisfy { $0 > 0x20 && $0 != 0x7F }
        }
        if !(1...4096).contains(cores) { return "cores is \(cores): use 1 to 4096" }
        if memoryBytes > 1 << 50 || memoryReserveBytes > memoryBytes {
            return
                "memoryBytes and memoryReserveBytes: at most 1 PiB, and no more kept back than there is"
        }
        if cpuFeatures.count > 2000 || labels.count > Limits.labelsMax {
            return "too many cpuFeatures or labels"
        }
        if !(labels + cpuFeatures + [zone, rack, link, apiAddress, peerAddress, agentVersion])
            .allSatisfy(isWord)
        {
            return
                "labels, features, places and addresses are words without spaces of at most \(Limits.wordBytesMax) bytes"
        }
        for (name, value) in [
            ("cpuOvercommit", cpuOvercommit), ("memoryOvercommit", memoryOvercommit),
        ] where !(0.1...100).contains(value) {
            return "\(name) is \(value): use 0.1 to 100"
        }
        if !(1...1e12).contains(linkBytesPerSecond) {
            return "linkBytesPerSecond is \(linkBytesPerSecond): use 1 to 1e12"
        }
        return nil
    }

    func isSameForScheduler(as other: HostRegistration) -> Bool {
        var other = other
        other.agentID = agentID
        other.agentVersion = agentVersion
        other.apiAddress = apiAddress
        other.peerAddress = peerAddress
        return self == other
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
