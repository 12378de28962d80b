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
        policy = NamedPolicies.placementPolicy(named: name, seed: seed) ?? WorstFit()
        state = Self.emptyState
    }

    private static var emptyState: ClusterState {
        ClusterState(migrationOverheadBytes: Limits.migrationOverheadBytes)
    }

    /// Makes the picture from the records: hosts came, went or changed.
    mutating func rebuildState(
        from records: ClusterRecords, observed observations: Observations, at now: Moment
    ) throws(ClusterStateError) {
        let uses = Dictionary(
            state.hosts.map { ($0.name, $0.ownUse) }, uniquingKeysWith: { first, _ in first })
        state = Self.emptyState
        for name in records.hosts.sortedNames {
            guard let host = records.hosts[name] else { continue }
            var described = PlacementHost(host)
            described.ownUse = uses[name.text] ?? .none
            try state.registerHost(described)
        }
        for name in records.groups.sortedNames {
            if let group = records.groups[name]?.group {
                try state.registerGroup(AffinityGroup(group))
            }
        }
        for name in records.vms.sortedNames {
            guard let vm = records.vms[name] else { continue }
            try addVMRecord(vm, use: observations[vm.id]?.use, at: now)
        }
        for (host, vms) in observations.unmanagedVMsByHost {
            replaceUnmanagedVMs(with: vms, previous: [:], on: host)
        }
        state.maintainIndex(for: policy)
    }

    // MARK: VMs

    mutating func addVMRecord(
        _ vm: ClusterVMRecord, use: ObservedUse?, at now: Moment
    ) throws(ClusterStateError) {
        var described = PlacementVM(vm)
        if let host = described.pinnedHost, state.indexOfHost(named: host) == nil {
            throw .unknownHost(host)
        }
        if let use, let cores = use.cpuCores, let memory = use.memoryUsedBytes {
            described.use = MeasuredUse(cores: cores, memoryBytes: memory)
            described.dirtyBytesPerSecond = use.dirtyBytesPerSecond
        }
        let row = try state.registerVM(described)
        updatePlacement(row: row, of: vm)
        updateLastMove(of: vm, row: row, at: now)
    }

    mutating func removeVM(withID vm: VMID) {
        if let row = state.indexOfVM(withID: vm) { state.unregisterVM(row) }
    }

    /// The picture follows a record that has changed; a new one is added by `add`.
    mutating func applyChange(
        _ change: RecordChange<ClusterVMRecord>, use: ObservedUse?, at now: Moment
    ) {
        let vm = change.after
        guard let before = change.before, let row = state.indexOfVM(withID: vm.id) else { return }
        if before.policy.labels != vm.policy.labels || before.policy.priority != vm.policy.priority
            || before.policy.mayBeBalanced != vm.policy.mayBeBalanced
            || before.features != vm.features
        {
            state.unregisterVM(row)
            do { try addVMRecord(vm, use: use, at: now) } catch {
                fatalError("a checked VM is refused by the scheduler: \(error)")
            }
            return
        }
        updatePlacement(row: row, of: vm)
        if before.lastMove != vm.lastMove { updateLastMove(of: vm, row: row, at: now) }
    }

    private mutating func updatePlacement(row: VMIndex, of vm: ClusterVMRecord) {
        let host = (vm.start?.host ?? vm.place?.host).flatMap { state.indexOfHost(named: $0.text) }
        var target = vm.move.flatMap { state.indexOfHost(named: $0.to.text) }
        if host == nil || target == host { target = nil }
        if let before = state.migrationTarget(of: row),
            before != target || state.currentHost(of: row) != host
        {
            state.abandonMigration(of: row)
        }
        if state.currentHost(of: row) != host {
            if state.currentHost(of: row) != nil { state.unassignVM(row) }
            if let host { state.assignVM(row, to: host) }
        }
        if let target, state.migrationTarget(of: row) == nil {
            state.beginMigration(of: row, to: target)
        }
    }

    private mutating func updateLastMove(of vm: ClusterVMRecord, row: VMIndex, at now: Moment) {
        state.setLastMove(
            vm.lastMove.map {
                LastMove(from: $0.host.text, age: .milliseconds(max(0, now.wallMs - $0.atMs)))
            }, of: row)
    }

    /// How long ago VMs were moved is computed again: before a plan is made.
    mutating func refreshLastMoves(of vms: some Sequence<ClusterVMRecord>, at now: Moment) {
        for vm in vms where vm.lastMove != nil {
            if let row = state.indexOfVM(withID: vm.id) {
                updateLastMove(of: vm, row: row, at: now)
            }
        }
    }

    mutating func setMeasuredUse(_ use: ObservedUse, of vm: VMID) {
        guard let row = state.indexOfVM(withID: vm), let cores = use.cpuCores,
            let memory = use.memoryUsedBytes
        else { return }
        do {
            try state.setMeasuredUse(MeasuredUse(cores: cores, memoryBytes: memory), of: row)
        } catch {
            fatalError("a checked heartbeat's use is refused: \(error)")
        }
        state.setDirtyRate(bytesPerSecond: use.dirtyBytesPerSecond, of: row)
    }

    /// VMs that an agent has and the cluster does not keep take room there, and stay where they are.
    mutating func replaceUnmanagedVMs(
        with vms: [VMID: VMReport], previous before: [VMID: VMReport], on host: HostName
    ) {
        guard before.keys != vms.keys, let index = state.indexOfHost(named: host.text) else {
            return
        }
        for id in before.keys where vms[id] == nil {
            if let row = state.indexOfVM(withID: id), state.currentHost(of: row) == index {
                state.unregisterVM(row)
            }
        }
        for id in vms.keys.sorted(by: { ($0.high, $0.low) < ($1.high, $1.low) })
        where before[id] == nil && state.indexOfVM(withID: id) == nil {
            guard let report = vms[id] else { continue }
            var vm = PlacementVM(
                id: id, name: report.name.text,
                request: Resources(vcpus: report.vcpus, memory: ByteCount(report.memoryBytes)))
            vm.pinnedHost = host.text
            vm.mayBeBalanced = false
            do { state.assignVM(try state.registerVM(vm), to: index) } catch {
                fatalError("a checked report's VM is refused by the scheduler: \(error)")
            }
        }
    }

    // MARK: Hosts and groups

    mutating func setHostState(_ new: HostState, of host: HostName) {
        if let index = state.indexOfHost(named: host.text) { state.setHostState(new, of: index) }
    }

    /// What a host uses beside its VMs.
    mutating func recordOwnUse(from heartbeat: Heartbeat, of host: HostName, vmUse vms: MeasuredUse)
    {
        guard let index = state.indexOfHost(named: host.text) else { return }
        let before = state.hosts[index].ownUse
        let cores = max(0, heartbeat.cpuCores - vms.cores)
        let memory = max(0, Double(heartbeat.memoryUsedBytes) - vms.memoryBytes)
        let use = MeasuredUse(
            cores: Double?(before.cores).smoothedAverage(adding: cores) ?? cores,
            memoryBytes: Double?(before.memoryBytes).smoothedAverage(adding: memory) ?? memory)
        do { try state.setOwnUse(use, of: index) } catch {
            fatalError("a checked heartbeat's use is refused: \(error)")
        }
    }

    mutating func addAffinityGroup(_ group: GroupSpec) {
        do { try state.registerGroup(AffinityGroup(group)) } catch {
            fatalError("a checked group is refused by the scheduler: \(error)")
        }
    }

    /// The scheduler's hosts are records' names.
    func hostName(at index: HostIndex) -> HostName {
        do { return try HostName(state.hosts[index].name) } catch {
            fatalError("a host of the scheduler has no host's name: \(error)")
        }
    }
}

// MARK: - What migrations cost

extension Scheduling {
    /// The next prediction is nearer to what this migration took.
    mutating func refineCosts(
        from report: ReportInfo, predicted: MovePrediction, linkBytesPerSecond link: Double
    ) {
        let (seconds, bytes) = (report.totalMs / 1000, predicted.bytes.expected)
        if bytes >= Limits.bytesForSpeed, seconds > costs.fixedSeconds {
            let speed = bytes / (seconds - costs.fixedSeconds)
            // At the link's speed it says nothing about the engine's.
            if speed < link * 0.9 {
                costs.engineBytesPerSecond = costs.engineBytesPerSecond.adjustedEstimate(
                    toward: speed, within: Limits.engineSpeeds)
            }
        } else {
            costs.fixedSeconds = costs.fixedSeconds.adjustedEstimate(
                toward: seconds - bytes / costs.engineBytesPerSecond, within: Limits.fixedSeconds)
        }
        let pages = predicted.downtimeMs.expected / 1000 - costs.fixedDowntime
        costs.fixedDowntime = costs.fixedDowntime.adjustedEstimate(
            toward: report.downtimeMs / 1000 - max(0, pages), within: Limits.fixedDowntimes)
    }
}

extension Double {
    fileprivate func adjustedEstimate(toward sample: Double, within range: ClosedRange<Double>)
        -> Double
    {
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
    ) -> Result<HostName, PlacementRefusal> {
        guard let row = state.indexOfVM(withID: vm.id) else {
            return .failure(PlacementRefusal(reason: "the scheduler does not know it"))
        }
        if vm.epochMax == 0, let wish = vm.startOn, !excluded.contains(wish),
            let host = state.indexOfHost(named: wish.text),
            state.refusalReason(of: row, on: host, for: .start) == nil
        {
            return .success(wish)
        }
        guard let chosen = state.chooseHost(for: row, using: policy) else {
            return .failure(
                PlacementRefusal(reason: "\(state.refusalSummary(of: row, for: .start))"))
        }
        let name = hostName(at: chosen)
        if !excluded.contains(name) { return .success(name) }
        let others = state.explainPlacement(of: row, using: policy).verdicts.enumerated()
            .compactMap { (host, verdict) -> (name: HostName, score: Double)? in
                guard let score = verdict.score else { return nil }
                return (hostName(at: host), score)
            }.filter { !excluded.contains($0.name) }
        guard let best = others.max(by: { $0.score < $1.score }) else {
            return .failure(
                PlacementRefusal(reason: "\(name) refused to start it: \(vm.failure ?? "")"))
        }
        return .success(best.name)
    }
}

struct PlacementRefusal: Error {
    var reason: String
}
