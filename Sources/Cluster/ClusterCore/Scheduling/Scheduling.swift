// The scheduler's picture of the cluster, kept in step with the records: a VM stands where it is or is ordered to be, and
// takes room at both ends while it is migrated. What migrations cost is learnt here, too.

import API
import Model
import Placement

struct Scheduling {
    /// Read to plan; a plan works on a copy.
    private(set) var state: ClusterState
    /// Fitted to what migrations took.
    private(set) var costs = MigrationCostModel()
    let policy: any PlacementPolicy

    init(policy name: String, seed: UInt64) {
        policy = NamedPolicies.policy(named: name, seed: seed) ?? WorstFit()
        state = Self.emptyState
    }

    private static var emptyState: ClusterState {
        ClusterState(migrationOverheadBytes: Limits.migrationOverheadBytes)
    }

    /// Makes the picture from the records: hosts came, went or changed.
    mutating func rebuild(
        from records: ClusterRecords, _ observations: Observations, at now: Moment
    ) throws(ClusterStateError) {
        let uses = Dictionary(
            state.hosts.map { ($0.name, $0.ownUse) }, uniquingKeysWith: { first, _ in first })
        state = Self.emptyState
        for name in records.hosts.sortedNames {
            guard let host = records.hosts[name] else { continue }
            var described = PlacementHost(host)
            described.ownUse = uses[name.text] ?? .none
            try state.add(described)
        }
        for name in records.groups.sortedNames {
            if let group = records.groups[name]?.group { try state.add(AffinityGroup(group)) }
        }
        for name in records.vms.sortedNames {
            guard let vm = records.vms[name] else { continue }
            try add(vm, use: observations[vm.id]?.use, at: now)
        }
        for (host, vms) in observations.unmanagedVMsByHost {
            showUnmanaged(vms, insteadOf: [:], on: host)
        }
        state.keepIndex(for: policy)
    }

    // MARK: VMs

    mutating func add(
        _ vm: ClusterVMRecord, use: ObservedUse?, at now: Moment
    ) throws(ClusterStateError) {
        var described = PlacementVM(vm)
        if let host = described.pinnedHost, state.host(named: host) == nil {
            throw .unknownHost(host)
        }
        if let use, let cores = use.cpuCores, let memory = use.memoryUsedBytes {
            described.use = MeasuredUse(cores: cores, memoryBytes: memory)
            described.dirtyBytesPerSecond = use.dirtyBytesPerSecond
        }
        let row = try state.add(described)
        place(row, of: vm)
        showLastMove(of: vm, row, at: now)
    }

    mutating func remove(_ vm: VMID) {
        if let row = state.vm(vm) { state.remove(row) }
    }

    /// The picture follows a record that has changed; a new one is added by `add`.
    mutating func follow(
        _ change: RecordChange<ClusterVMRecord>, use: ObservedUse?, at now: Moment
    ) {
        let vm = change.after
        guard let before = change.before, let row = state.vm(vm.id) else { return }
        if before.policy.labels != vm.policy.labels || before.policy.priority != vm.policy.priority
            || before.policy.mayBeBalanced != vm.policy.mayBeBalanced
            || before.features != vm.features
        {
            state.remove(row)
            do { try add(vm, use: use, at: now) } catch {
                fatalError("a checked VM is refused by the scheduler: \(error)")
            }
            return
        }
        place(row, of: vm)
        if before.lastMove != vm.lastMove { showLastMove(of: vm, row, at: now) }
    }

    private mutating func place(_ row: VMIndex, of vm: ClusterVMRecord) {
        let host = (vm.start?.host ?? vm.place?.host).flatMap { state.host(named: $0.text) }
        var target = vm.move.flatMap { state.host(named: $0.to.text) }
        if host == nil || target == host { target = nil }
        if let before = state.target(of: row), before != target || state.host(of: row) != host {
            state.abandonMove(row)
        }
        if state.host(of: row) != host {
            if state.host(of: row) != nil { state.unassign(row) }
            if let host { state.assign(row, to: host) }
        }
        if let target, state.target(of: row) == nil { state.beginMove(row, to: target) }
    }

    private mutating func showLastMove(of vm: ClusterVMRecord, _ row: VMIndex, at now: Moment) {
        state.setLastMove(
            vm.lastMove.map {
                LastMove(from: $0.host.text, age: .milliseconds(max(0, now.wallMs - $0.atMs)))
            }, of: row)
    }

    /// How long ago VMs were moved is computed again: before a plan is made.
    mutating func refreshLastMoves(of vms: some Sequence<ClusterVMRecord>, at now: Moment) {
        for vm in vms where vm.lastMove != nil {
            if let row = state.vm(vm.id) { showLastMove(of: vm, row, at: now) }
        }
    }

    mutating func setUse(_ use: ObservedUse, of vm: VMID) {
        guard let row = state.vm(vm), let cores = use.cpuCores, let memory = use.memoryUsedBytes
        else { return }
        do { try state.setUse(MeasuredUse(cores: cores, memoryBytes: memory), of: row) } catch {
            fatalError("a checked heartbeat's use is refused: \(error)")
        }
        state.setDirtyRate(use.dirtyBytesPerSecond, of: row)
    }

    /// VMs that an agent has and the cluster does not keep take room there, and stay where they are.
    mutating func showUnmanaged(
        _ vms: [VMID: VMReport], insteadOf before: [VMID: VMReport], on host: HostName
    ) {
        guard before.keys != vms.keys, let index = state.host(named: host.text) else { return }
        for id in before.keys where vms[id] == nil {
            if let row = state.vm(id), state.host(of: row) == index { state.remove(row) }
        }
        for id in vms.keys.sorted(by: { ($0.high, $0.low) < ($1.high, $1.low) })
        where before[id] == nil && state.vm(id) == nil {
            guard let report = vms[id] else { continue }
            var vm = PlacementVM(
                id: id, name: report.name.text,
                request: Resources(vcpus: report.vcpus, memory: ByteCount(report.memoryBytes)))
            vm.pinnedHost = host.text
            vm.mayBeBalanced = false
            do { state.assign(try state.add(vm), to: index) } catch {
                fatalError("a checked report's VM is refused by the scheduler: \(error)")
            }
        }
    }

    // MARK: Hosts and groups

    mutating func setState(_ new: HostState, of host: HostName) {
        if let index = state.host(named: host.text) { state.setState(new, of: index) }
    }

    /// What a host uses beside its VMs.
    mutating func addUse(_ heartbeat: Heartbeat, of host: HostName, vms: MeasuredUse) {
        guard let index = state.host(named: host.text) else { return }
        let before = state.hosts[index].ownUse
        let cores = max(0, heartbeat.cpuCores - vms.cores)
        let memory = max(0, Double(heartbeat.memoryUsedBytes) - vms.memoryBytes)
        let use = MeasuredUse(
            cores: Double?(before.cores).smoothed(with: cores) ?? cores,
            memoryBytes: Double?(before.memoryBytes).smoothed(with: memory) ?? memory)
        do { try state.setOwnUse(use, of: index) } catch {
            fatalError("a checked heartbeat's use is refused: \(error)")
        }
    }

    mutating func add(_ group: GroupSpec) {
        do { try state.add(AffinityGroup(group)) } catch {
            fatalError("a checked group is refused by the scheduler: \(error)")
        }
    }

    /// The scheduler's hosts are records' names.
    func hostName(_ index: HostIndex) -> HostName {
        do { return try HostName(state.hosts[index].name) } catch {
            fatalError("a host of the scheduler has no host's name: \(error)")
        }
    }
}

// MARK: - What migrations cost

extension Scheduling {
    /// The next prediction is nearer to what this migration took.
    mutating func fitCosts(
        to report: ReportInfo, predicted: MovePrediction, linkBytesPerSecond link: Double
    ) {
        let (seconds, bytes) = (report.totalMs / 1000, predicted.bytes.expected)
        if bytes >= Limits.bytesForSpeed, seconds > costs.fixedSeconds {
            let speed = bytes / (seconds - costs.fixedSeconds)
            // At the link's speed it says nothing about the engine's.
            if speed < link * 0.9 {
                costs.engineBytesPerSecond = costs.engineBytesPerSecond.fitted(
                    to: speed, within: Limits.engineSpeeds)
            }
        } else {
            costs.fixedSeconds = costs.fixedSeconds.fitted(
                to: seconds - bytes / costs.engineBytesPerSecond, within: Limits.fixedSeconds)
        }
        let pages = predicted.downtimeMs.expected / 1000 - costs.fixedDowntime
        costs.fixedDowntime = costs.fixedDowntime.fitted(
            to: report.downtimeMs / 1000 - max(0, pages), within: Limits.fixedDowntimes)
    }
}

extension Double {
    fileprivate func fitted(to sample: Double, within range: ClosedRange<Double>) -> Double {
        guard sample.isFinite else { return self }
        let sample = min(max(sample, range.lowerBound), range.upperBound)
        return self + (sample - self) * Limits.smoothing
    }
}

// MARK: - Choosing

extension Scheduling {
    /// Where a VM that runs nowhere should start; else why no host can take it.
    /// - Parameter excluded: hosts that refused it a moment ago, or that have an old copy of it.
    func chooseHost(
        for vm: ClusterVMRecord, except excluded: Set<HostName>
    ) -> Result<HostName, RefusedEverywhere> {
        guard let row = state.vm(vm.id) else {
            return .failure(RefusedEverywhere(reason: "the scheduler does not know it"))
        }
        if vm.epochMax == 0, let wish = vm.startOn, !excluded.contains(wish),
            let host = state.host(named: wish.text),
            state.refusal(of: row, on: host, for: .start) == nil
        {
            return .success(wish)
        }
        guard let chosen = state.choose(row, by: policy) else {
            return .failure(
                RefusedEverywhere(reason: "\(state.refusals(of: row, for: .start))"))
        }
        let name = hostName(chosen)
        if !excluded.contains(name) { return .success(name) }
        let others = state.explain(row, by: policy).verdicts.enumerated()
            .compactMap { (host, verdict) -> (name: HostName, score: Double)? in
                guard let score = verdict.score else { return nil }
                return (hostName(host), score)
            }.filter { !excluded.contains($0.name) }
        guard let best = others.max(by: { $0.score < $1.score }) else {
            return .failure(
                RefusedEverywhere(reason: "\(name) refused to start it: \(vm.failure ?? "")"))
        }
        return .success(best.name)
    }
}

struct RefusedEverywhere: Error {
    var reason: String
}
