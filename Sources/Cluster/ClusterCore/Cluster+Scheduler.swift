// The scheduler's picture of the cluster, kept in step with the records: a VM stands where it is or is ordered to be, and
// takes room at both ends while it moves.

import API
import Model
import Placement

extension Cluster {
    var policy: any PlacementPolicy {
        NamedPolicies.policy(named: settings.policy, seed: settings.seed) ?? WorstFit()
    }

    /// Makes it anew: hosts came, went or changed.
    mutating func rebuildScheduler(_ now: Moment) throws(ClusterStateError) {
        let uses = Dictionary(
            scheduler.hosts.map { ($0.name, $0.ownUse) }, uniquingKeysWith: { first, _ in first })
        scheduler = ClusterState(migrationOverheadBytes: Limits.migrationOverheadBytes)
        for name in hosts.keys.sorted() {
            guard let host = hosts[name] else { continue }
            var described = PlacementHost(host)
            described.ownUse = uses[name.text] ?? .none
            try scheduler.add(described)
        }
        for name in groups.keys.sorted() {
            if let group = groups[name]?.group { try scheduler.add(AffinityGroup(group)) }
        }
        for name in vmNames.items {
            guard let vm = vms[name] else { continue }
            try addToScheduler(vm, now)
        }
        for (host, strangers) in unmanaged { showStrangers(strangers, on: host, anew: true) }
        scheduler.keepIndex(for: policy)
    }

    /// The picture follows a record that has changed.
    mutating func showScheduler(
        _ vm: ClusterVMRecord, before: ClusterVMRecord?, _ now: Moment
    ) {
        guard let before, let row = scheduler.vm(vm.id) else { return }
        if before.policy.labels != vm.policy.labels || before.policy.priority != vm.policy.priority
            || before.policy.mayBeBalanced != vm.policy.mayBeBalanced
            || before.features != vm.features
        {
            scheduler.remove(row)
            do { try addToScheduler(vm, now) } catch {
                fatalError("a checked VM is refused by the scheduler: \(error)")
            }
            return
        }
        put(row, of: vm)
        if before.lastMove != vm.lastMove { showLastMove(of: vm, row, now) }
    }

    mutating func addToScheduler(_ vm: ClusterVMRecord, _ now: Moment) throws(ClusterStateError) {
        var described = PlacementVM(vm)
        if let host = described.pinnedHost, scheduler.host(named: host) == nil {
            throw .unknownHost(host)
        }
        if let sight = vmSights[vm.id], let cores = sight.cpuCores,
            let memory = sight.memoryUsedBytes
        {
            described.use = MeasuredUse(cores: cores, memoryBytes: memory)
            described.dirtyBytesPerSecond = sight.dirtyBytesPerSecond
        }
        let row = try scheduler.add(described)
        put(row, of: vm)
        showLastMove(of: vm, row, now)
    }

    private mutating func put(_ row: VMIndex, of vm: ClusterVMRecord) {
        let host = (vm.start?.host ?? vm.place?.host).flatMap { scheduler.host(named: $0.text) }
        var target = vm.move.flatMap { scheduler.host(named: $0.to.text) }
        if host == nil || target == host { target = nil }
        if let before = scheduler.target(of: row),
            before != target || scheduler.host(of: row) != host
        {
            scheduler.abandonMove(row)
        }
        if scheduler.host(of: row) != host {
            if scheduler.host(of: row) != nil { scheduler.unassign(row) }
            if let host { scheduler.assign(row, to: host) }
        }
        if let target, scheduler.target(of: row) == nil { scheduler.beginMove(row, to: target) }
    }

    private mutating func showLastMove(of vm: ClusterVMRecord, _ row: VMIndex, _ now: Moment) {
        scheduler.setLastMove(
            vm.lastMove.map {
                LastMove(from: $0.host.text, age: .milliseconds(max(0, now.wallMs - $0.atMs)))
            }, of: row)
    }

    /// How long ago VMs were moved is told anew: before a plan is made.
    mutating func refreshLastMoves(_ now: Moment) {
        for vm in vms.values where vm.lastMove != nil {
            if let row = scheduler.vm(vm.id) { showLastMove(of: vm, row, now) }
        }
    }

    /// VMs that an agent has and the cluster does not keep take room there, and nobody moves them.
    mutating func showStrangers(
        _ strangers: [VMID: VMReport], on host: HostName, anew: Bool = false
    ) {
        let before = anew ? [:] : unmanaged[host, default: [:]]
        unmanaged[host] = strangers.isEmpty ? nil : strangers
        guard before.keys != strangers.keys, let index = scheduler.host(named: host.text) else {
            return
        }
        for id in before.keys where strangers[id] == nil {
            if let row = scheduler.vm(id), scheduler.host(of: row) == index {
                scheduler.remove(row)
            }
        }
        for id in strangers.keys.sorted(by: { ($0.high, $0.low) < ($1.high, $1.low) })
        where before[id] == nil && scheduler.vm(id) == nil {
            guard let report = strangers[id] else { continue }
            var vm = PlacementVM(
                id: id, name: report.name.text,
                request: Resources(vcpus: report.vcpus, memory: ByteCount(report.memoryBytes)))
            vm.pinnedHost = host.text
            vm.mayBeBalanced = false
            do { scheduler.assign(try scheduler.add(vm), to: index) } catch {
                fatalError("a checked report's VM is refused by the scheduler: \(error)")
            }
        }
    }

    /// Where a VM that runs nowhere should start; else why no host can take it.
    func chooseHost(
        for vm: ClusterVMRecord, _ now: Moment
    ) -> Result<HostName, RefusedEverywhere> {
        guard let row = scheduler.vm(vm.id) else {
            return .failure(RefusedEverywhere(why: "the scheduler does not know it"))
        }
        var shunned = vmSights[vm.id]?.refusedBy.filter { $0.value > now.uptime } ?? [:]
        // An old copy has to go first.
        for copy in vm.retired { shunned[copy.host] = now.uptime }
        if vm.epochMax == 0, let wish = vm.startOn, shunned[wish] == nil,
            let host = scheduler.host(named: wish.text),
            scheduler.refusal(of: row, on: host, for: .start) == nil
        {
            return .success(wish)
        }
        guard let chosen = scheduler.choose(row, by: policy) else {
            return .failure(
                RefusedEverywhere(why: "\(scheduler.refusals(of: row, for: .start))"))
        }
        let name = hostName(chosen)
        if shunned[name] == nil { return .success(name) }
        let others = scheduler.explain(row, by: policy).verdicts.enumerated()
            .compactMap { (host, verdict) -> (name: HostName, score: Double)? in
                guard let score = verdict.score else { return nil }
                return (hostName(host), score)
            }.filter { shunned[$0.name] == nil }
        guard let best = others.max(by: { $0.score < $1.score }) else {
            return .failure(
                RefusedEverywhere(why: "\(name) refused to start it: \(vm.failure ?? "")"))
        }
        return .success(best.name)
    }

    /// The scheduler's hosts are records' names.
    func hostName(_ index: HostIndex) -> HostName {
        do { return try HostName(scheduler.hosts[index].name) } catch {
            fatalError("a host of the scheduler has no host's name: \(error)")
        }
    }
}

struct RefusedEverywhere: Error {
    var why: String
}

extension PlacementHost {
    init(_ host: HostRecord) {
        let facts = host.registration
        self.init(
            name: host.name.text,
            capacity: Resources(vcpus: facts.cores, memory: ByteCount(facts.memoryBytes)))
        state = host.state
        reservedMemoryBytes = Int(facts.memoryReserveBytes)
        cpuOvercommit = facts.cpuOvercommit
        memoryOvercommit = facts.memoryOvercommit
        features = CPUFeatures(facts.cpuFeatures)
        labels = Set(facts.labels)
        domain = FaultDomain(zone: facts.zone, rack: facts.rack)
        link = facts.link
        linkBytesPerSecond = facts.linkBytesPerSecond
    }
}

extension PlacementVM {
    init(_ vm: ClusterVMRecord) {
        self.init(
            id: vm.id, name: vm.name.text,
            request: Resources(vcpus: vm.spec.vcpus, memory: vm.spec.memory))
        features = CPUFeatures(vm.features ?? [])
        labels = Set(vm.policy.labels)
        groups = vm.policy.groups.map(\.name)
        pinnedHost = vm.policy.pinnedHost?.text
        mayBeBalanced = vm.policy.mayBeBalanced
        priority = vm.policy.priority
        downtimeLimit = vm.spec.downtimeLimit
    }
}

extension AffinityGroup {
    init(_ group: GroupSpec) {
        let kind: Kind =
            switch group.kind {
            case .affinity: .together
            case .antiAffinity: .apart(perDomainMax: group.perDomainMax ?? 1)
            }
        let scope: Scope =
            switch group.scope ?? .host {
            case .host: .host
            case .rack: .rack
            case .zone: .zone
            }
        self.init(
            name: group.name, kind, scope: scope,
            strength: group.softWeight.map { .soft(weight: $0) } ?? .hard)
    }
}
