// The cluster as clients see it.

package import API
package import Model
import Placement

extension Cluster {
    package func clusterVM(named name: VMName) throws(Problem) -> ClusterVM {
        clusterVM(for: try vmRecord(named: name))
    }

    package func listVMs(
        after: VMName?, limit: Int, host: HostName? = nil, state: ClusterVMState? = nil
    ) -> Page<ClusterVM> {
        var items: [ClusterVM] = []
        for name in records.vms.recordNames(after: after) {
            guard let record = records.vms[name] else { continue }
            let vm = clusterVM(for: record)
            if let host, vm.host != host, vm.destination != host { continue }
            if let state, vm.state != state { continue }
            if items.count == limit { return Page(items: items, next: items.last?.name.text) }
            items.append(vm)
        }
        return Page(items: items)
    }

    func clusterVM(for vm: ClusterVMRecord) -> ClusterVM {
        let use = observations[vm.id]?.use
        var view = ClusterVM(
            id: vm.id, revision: vm.version, spec: vm.spec, policy: vm.policy,
            state: currentState(of: vm), epoch: vm.place?.epoch ?? vm.epochMax)
        view.reason = vmStateReason(of: vm)
        view.host = vm.place?.host ?? vm.start?.host
        view.destination = vm.move?.to
        view.migration = vm.move?.migration
        view.restarts = vm.restarts
        view.home = vm.home
        view.cpuCores = use?.cpuCores
        view.memoryUsedBytes = use?.memoryUsedBytes.map { UInt64($0) }
        view.dirtyBytesPerSecond = use?.dirtyBytesPerSecond
        return view
    }

    private func currentState(of vm: ClusterVMRecord) -> ClusterVMState {
        if vm.isDeleting { return .deleting }
        guard let place = vm.place else {
            if vm.start != nil { return .starting }
            return vm.policy.desired == .stopped ? .stopped : .pending
        }
        if records.hosts[place.host]?.state == .unreachable { return .unknown }
        if vm.move != nil { return .migrating }
        guard let report = latestReport(of: vm.id, from: place.host) else {
            // Just made, or not heard of since this controller leads.
            if vm.failure != nil { return .failed }
            return vm.policy.desired == .running ? .running : .stopping
        }
        return reportedState(of: vm, in: report)
    }

    private func reportedState(
        of vm: ClusterVMRecord, in report: VMReport
    ) -> ClusterVMState {
        if report.ownership == .released { return .unknown }
        switch report.state {
        case .running: return vm.policy.desired == .stopped ? .stopping : .running
        case .paused: return .paused
        case .incoming: return .migrating
        case .stopped:
            if vm.bootWanted { return .starting }
            return vm.policy.desired == .running && vm.policy.failurePolicy == .restart
                && report.exit?.isFailure ?? false ? .failed : .stopped
        case .failed: return vm.bootWanted ? .starting : .failed
        }
    }

    private func vmStateReason(of vm: ClusterVMRecord) -> String? {
        if let failure = vm.failure { return failure }
        if let place = vm.place, records.hosts[place.host]?.state == .unreachable {
            return "host \(place.host) is unreachable, so it is not known whether it runs there"
        }
        return nil
    }

    package func clusterHost(named name: HostName, at now: Moment) throws(Problem) -> ClusterHost {
        clusterHost(for: try hostRecord(named: name), at: now)
    }

    package func listHosts(
        after: HostName?, limit: Int, at now: Moment
    ) -> Page<ClusterHost> {
        let names = records.hosts.recordNames(after: after)
        let items = names.prefix(limit).compactMap {
            records.hosts[$0].map { clusterHost(for: $0, at: now) }
        }
        return Page(items: items, next: names.count > limit ? items.last?.name.text : nil)
    }

    private func clusterHost(for host: HostRecord, at now: Moment) -> ClusterHost {
        let observed = observations[host.name]
        let scheduler = scheduling.state
        let index = scheduler.indexOfHost(named: host.name.text)
        let used = index.map { scheduler.usedResources(on: $0) } ?? .none
        let limit = index.map { scheduler.resourceLimit(of: $0) } ?? .none
        let heard = (observed?.heartbeatCount ?? 0) > 0 ? observed?.heardAt : nil
        let load = observed?.load ?? ObservedLoad()
        return ClusterHost(
            name: host.name, revision: host.version, state: host.state, wanted: host.wanted,
            reason: hostStateReason(of: host), isFenced: host.silence?.fence != nil,
            heardOfMsAgo: heard.map { (now.uptime - $0).wholeMilliseconds },
            operation: host.operation, registration: HostRegistration(host.description),
            cpuCores: load.cpuCores, memoryUsedBytes: load.memoryUsedBytes,
            pressure: load.pressure,
            vcpusPromised: Double(used.milliCPUs) / 1000,
            memoryPromisedBytes: UInt64(max(0, used.memoryBytes)),
            vcpusLimit: Double(limit.milliCPUs) / 1000,
            memoryLimitBytes: UInt64(max(0, limit.memoryBytes)),
            vms: index.map { scheduler.hostedVMCount(on: $0) } ?? 0,
            unmanagedVMs: observations.unmanagedVMs(on: host.name).values.map(\.name).sorted())
    }

    private func hostStateReason(of host: HostRecord) -> String? {
        switch host.silence?.fence {
        case .operator: "an operator said that it is off"
        case .lease: "silent for longer than its lease: its leased VMs have stopped"
        case nil:
            host.silence == nil ? nil : "no heartbeat"
        }
    }

    /// Counts, for `ClusterInfo` and the metrics.
    package var hostCounts: [String: Int] {
        var counts = Dictionary(HostState.allCases.map { ($0.rawValue, 0) }) { $1 }
        for host in records.hosts.all { counts[host.state.rawValue, default: 0] += 1 }
        return counts
    }

    package var vmCounts: [String: Int] {
        var counts = Dictionary(ClusterVMState.allCases.map { ($0.rawValue, 0) }) { $1 }
        for vm in records.vms.all { counts[currentState(of: vm).rawValue, default: 0] += 1 }
        return counts
    }

    package var migrationsUnderWay: Int { records.vms.migrationCount }

    /// The first thing wrong with the scheduler's picture, held against its own rules: for tests.
    package func brokenRule() -> String? {
        scheduling.state.sumMismatch() ?? scheduling.state.ruleViolation()
    }

    package var imbalance: Double {
        let state = scheduling.state
        return LoadSpread(of: state) { state.hosts[$0].state == .active }.score
    }
}

// MARK: - Operations

extension Cluster {
    func operationInfo(for run: OperationRecord) -> OperationInfo {
        OperationInfo(
            id: run.id, revision: run.version, kind: run.kind, state: run.state, host: run.host,
            startedAtMs: run.startedAtMs, endedAtMs: run.endedAtMs, startedBy: run.startedBy,
            plan: PlanInfo(run.plan) { currentOrder(for: $0, of: run) }, movesDone: run.movesDone,
            detail: run.detail)
    }
}

extension PlanInfo {
    /// - Parameter order: that of a move under way.
    init(_ plan: PlanRecord, order: (MoveRecord) -> MoveOrder? = { _ in nil }) {
        self.init(
            moves: plan.moves.map { MoveInfo($0, order: order($0)) },
            left: plan.left.map { LeftBehind(vm: $0.vm, why: $0.why) }, waves: plan.waves,
            seconds: plan.seconds, imbalanceBefore: plan.imbalanceBefore,
            imbalanceAfter: plan.imbalanceAfter, outcome: plan.outcome)
    }
}

extension MoveInfo {
    fileprivate init(_ move: MoveRecord, order: MoveOrder?) {
        let state: State =
            switch move.outcome {
            case .open: order == nil ? .waiting : .running
            case .done: .done
            case .failed: .failed
            case .skipped: .skipped
            }
        self.init(
            vm: move.vm, vmID: move.vmID, from: move.from, to: move.to,
            plannedFor: move.plannedFor, why: move.why, wave: move.wave,
            predicted: move.predicted, state: state, attempts: move.attempts,
            migration: order?.migration ?? (move.isOpen ? nil : move.migration),
            reason: move.reason, actualSeconds: move.actualSeconds,
            actualDowntimeMs: move.actualDowntimeMs, actualBytes: move.actualBytes)
    }
}
