// Drains: a host is emptied for maintenance, and filled again afterwards.
//
// The host takes nothing from the moment at which its drain begins. VMs that run are moved by plan. VMs that are at
// rest hold nothing that could be lost: their copies are removed, and they are placed anew when somebody starts them.
// VMs that arrive late (moves and starts that were under way) are planned for when the moves before them are over, and
// so are those that one plan had no room for. What then is left is named with its reason, and the host stays draining.

package import API
package import Model
import Placement

extension Cluster {
    // MARK: Planning

    /// Changes nothing.
    package func planDrain(
        _ name: HostName, _ request: DrainHost, _ now: Moment
    ) throws(Problem) -> PlanInfo {
        try checkDrain(name, request)
        return drainPlan(of: [name], parallel: request.parallel)
    }

    private func checkDrain(_ name: HostName, _ request: DrainHost) throws(Problem) {
        let host = try hostRecord(name)
        if let parallel = request.parallel, !(1...1000).contains(parallel) {
            throw Problem(.invalid, "parallel is \(parallel): use 1 to 1000")
        }
        guard host.silence == nil else {
            throw Problem(
                .wrongState,
                "host \(name) is unreachable: nothing can be moved from it. When it is off, say so (fence): VMs with failure policy restart then start elsewhere"
            )
        }
    }

    /// - Parameter run: the drain under way that needs a new plan: VMs that it has given up stay.
    private func drainPlan(
        of names: [HostName], parallel: Int?, for run: OperationRecord? = nil
    ) -> PlanInfo {
        var state = planningState(without: run?.info.id)
        let indices = names.compactMap { state.host(named: $0.text) }
        var left: [LeftBehind] = []
        var atRest = 0
        for row in indices.flatMap({ state.vms(on: $0) }) where state.target(of: row) == nil {
            guard let why = whyLeft(row, in: state, run, &atRest) else { continue }
            if let name = vmName(row, in: state), !why.isEmpty {
                left.append(LeftBehind(vm: name, why: why))
            }
            state.remove(row)
        }
        let moves = state.planDrain(
            of: indices, limits: moveLimits(parallel: parallel), costs: costs)
        var plan = show(moves, from: state)
        plan.left = (left + plan.left).sorted { $0.vm < $1.vm }
        plan.bound()
        if atRest > 0 {
            let note = "\(atRest) at rest: removed there, and placed anew when started"
            plan.outcome = plan.outcome.map { "\($0); \(note)" } ?? note
        }
        return plan
    }

    /// Why a VM of a drained host is not planned for; empty when that needs no word, nil when it is.
    private func whyLeft(
        _ row: VMIndex, in state: ClusterState, _ run: OperationRecord?, _ atRest: inout Int
    ) -> String? {
        guard let vm = names[state.description(of: row).id].flatMap({ vms[$0] }) else {
            return "the cluster does not keep it: move it or delete it by its host's agent"
        }
        if isAtRest(vm) {
            atRest += 1
            return ""
        }
        if let failed = run?.info.plan.moves.last(where: {
            $0.vmID == vm.id && $0.state == .failed
        }) {
            return failed.reason ?? "it could not be moved"
        }
        return readiness(of: vm).why
    }

    // MARK: Draining

    /// The drain of a host that is drained already is that drain.
    package mutating func drain(
        _ name: HostName, _ request: DrainHost, by who: String, _ now: Moment,
        _ output: inout Output
    ) throws(Problem) -> OperationInfo {
        try checkDrain(name, request)
        if let run = drainUnderWay(of: name) { return run.info }
        var host = try hostRecord(name)
        host.wanted = .draining
        save(host, &output)
        yieldToDrain(of: name, now, &output)
        let id = begin(
            .drain, of: name, drainPlan(of: [name], parallel: request.parallel), by: who,
            parallel: request.parallel, mayRedirect: true, now, &output)
        host = try hostRecord(name)
        host.operation = id
        save(host, &output)
        advance(id, now, &output)
        return try operation(id)
    }

    private func drainUnderWay(of host: HostName) -> OperationRecord? {
        operations.values.first {
            $0.info.kind == .drain && $0.info.host == host && $0.info.state == .running
        }
    }

    /// Balance makes way. Moves to the host would only have to be made again.
    private mutating func yieldToDrain(
        of host: HostName, _ now: Moment, _ output: inout Output
    ) {
        for run in operationsUnderWay {
            if run.info.kind == .balance, var record = operations[run.info.id] {
                record.info.state = .cancelling
                record.info.detail = "host \(host) is drained"
                keep(record)
            }
            cancelMoves(of: run.info.id, to: host, now, &output)
        }
    }

    /// A drain has nothing under way: perhaps there is more to do, else it ends.
    mutating func closeDrain(
        _ run: OperationRecord, _ look: MovesLook, _ now: Moment, _ output: inout Output
    ) {
        guard let name = run.info.host, var host = hosts[name], host.silence?.fence == nil else {
            return endDrain(run, look, now, &output)
        }
        guard host.silence == nil else { return }
        guard !isAwaiting(name, besides: run.info.id) else { return }
        releaseAtRest(on: name, now, &output)
        if planAnew(run, now) { return }
        let staying = keptVMs(on: name)
        guard staying.isEmpty else { return endDrain(run, look, now, &output) }
        host.wanted = .maintenance
        save(host, &output)
        end(run.info.id, .succeeded, strangersText(on: name), now, &output)
    }

    /// VMs of the cluster that stand on a host or are on their way there.
    private func keptVMs(on host: HostName) -> [ClusterVMRecord] {
        concerned[host, default: []].compactMap { names[$0].flatMap { vms[$0] } }
            .filter { $0.place?.host == host || $0.start?.host == host || $0.move?.to == host }
            .sorted { $0.name < $1.name }
    }

    /// Whether something is under way with VMs of a host that ends by itself.
    private func isAwaiting(_ host: HostName, besides id: OperationID) -> Bool {
        let leaving = operations.values.filter { !$0.info.isOver && $0.info.id != id }
            .flatMap(\.info.plan.moves).filter { $0.isOpen && $0.from == host }.map(\.vmID)
        return keptVMs(on: host).contains { vm in
            leaving.contains(vm.id) || vm.move.map { isConfirmed($0) } ?? false
        }
    }

    /// The source of a move says that it is under way.
    private func isConfirmed(_ move: MoveOrder) -> Bool {
        isHeard(move.from) && hostSights[move.from]?.migrations[move.migration] != nil
    }

    /// VMs at rest leave a host by being forgotten there.
    private mutating func releaseAtRest(
        on host: HostName, _ now: Moment, _ output: inout Output
    ) {
        for vm in keptVMs(on: host) where isAtRest(vm) && vm.place?.host == host {
            var vm = vm
            vm.retire(host, upTo: vm.epochMax)
            vm.epochFloor = vm.epochMax
            vm.place = nil
            save(vm, &output, now)
            reconcile(vm.name, now, &output)
        }
    }

    /// Plans for what still stands on the host; false when nothing more can be done.
    private mutating func planAnew(_ run: OperationRecord, _ now: Moment) -> Bool {
        guard let host = run.info.host, let vain = operationSights[run.info.id]?.plansInVain,
            vain < Limits.plansInVainMax, !keptVMs(on: host).isEmpty
        else { return false }
        if keptVMs(on: host).contains(where: { mayBecomeReady($0, run, now) }) { return true }
        var run = run
        let plan = drainPlan(of: [host], parallel: run.parallel, for: run)
        guard !plan.moves.isEmpty else {
            run.info.plan.dropWaiting()
            run.info.plan.left = plan.left
            keep(run)
            return false
        }
        run.info.plan.continued(by: plan)
        operationSights[run.info.id]?.plansInVain += 1
        keep(run)
        return true
    }

    /// A VM that cannot be moved now is waited for, but not for ever.
    private mutating func mayBecomeReady(
        _ vm: ClusterVMRecord, _ run: OperationRecord, _ now: Moment
    ) -> Bool {
        guard case .later = readiness(of: vm), !run.info.plan.gaveUp(vm.id) else { return false }
        let since = operationSights[run.info.id]?.heldSince[vm.id] ?? now.uptime
        operationSights[run.info.id]?.heldSince[vm.id] = since
        return now.uptime - since <= Limits.holdMax
    }

    private mutating func endDrain(
        _ run: OperationRecord, _ look: MovesLook, _ now: Moment, _ output: inout Output
    ) {
        guard var run = operations[run.info.id], let name = run.info.host else { return }
        if let refused = look.refused, run.info.plan.moves.indices.contains(refused.index),
            run.info.plan.moves[refused.index].state == .waiting
        {
            run.info.plan.moves[refused.index].state = .failed
            run.info.plan.moves[refused.index].reason = refused.why
        }
        skipWaiting(&run, "the drain ended before its turn came")
        guard let host = hosts[name], host.silence == nil else {
            operations[run.info.id] = run
            let why = "host \(name) \(hosts[name] == nil ? "left the cluster" : "is unreachable")"
            return end(run.info.id, .incomplete, why, now, &output)
        }
        let undone = run.info.plan.moves.filter { $0.state == .failed || $0.state == .skipped }
        let why = Dictionary(
            run.info.plan.left.map { ($0.vm, $0.why) }
                + undone.map { ($0.vm, $0.reason ?? "") }
        ) { first, _ in first }
        let left = keptVMs(on: name).map { vm in
            LeftBehind(
                vm: vm.name,
                why: why[vm.name] ?? readiness(of: vm).why ?? "it came when the drain ended")
        }
        operations[run.info.id] = run
        end(run.info.id, .incomplete, PlanInfo.text(left), now, &output)
    }

    private func strangersText(on host: HostName) -> String? {
        let strangers = unmanaged[host, default: [:]].values.map(\.name).sorted()
        guard !strangers.isEmpty else { return nil }
        let names = strangers.prefix(Limits.namesInDetailMax).map(\.text).joined(separator: ", ")
        return "VMs that the cluster does not keep are still there: \(names)"
    }
}

// MARK: - Back to work

extension Cluster {
    package mutating func cancelDrain(
        _ name: HostName, _ now: Moment, _ output: inout Output
    ) throws(Problem) -> ClusterHost {
        var host = try hostRecord(name)
        guard host.wanted == .draining else {
            throw Problem(.wrongState, "host \(name) is \(host.state.rawValue), not draining")
        }
        host.wanted = .active
        save(host, &output)
        if let run = drainUnderWay(of: name) {
            cancel(run.info.id, "the drain was cancelled", now, &output)
        }
        return try self.host(name, now)
    }

    /// The operation that brings VMs back, where that was asked for and there is something to bring. An unreachable
    /// host is active from when it answers; nothing is brought to it.
    package mutating func activate(
        _ name: HostName, _ request: ActivateHost, by who: String, _ now: Moment,
        _ output: inout Output
    ) throws(Problem) -> (host: ClusterHost, operation: OperationInfo?) {
        var host = try hostRecord(name)
        host.wanted = .active
        save(host, &output)
        if let run = drainUnderWay(of: name) {
            cancel(run.info.id, "the host was activated", now, &output)
        }
        var operation: OperationInfo?
        if request.bringBack ?? false, host.silence == nil {
            operation = try bringBack(to: name, by: who, now, &output)
        }
        return (try self.host(name, now), operation)
    }

    private mutating func bringBack(
        to name: HostName, by who: String, _ now: Moment, _ output: inout Output
    ) throws(Problem) -> OperationInfo? {
        let away = vms.values.filter { $0.home == name && $0.place?.host != name && !$0.isDeleting }
        guard !away.isEmpty, let index = scheduler.host(named: name.text) else { return nil }
        var state = planningState()
        var homes: [VMID: String] = [:]
        var left: [LeftBehind] = []
        for vm in away {
            if let why = readiness(of: vm).why {
                left.append(LeftBehind(vm: vm.name, why: why))
            } else {
                homes[vm.id] = name.text
            }
        }
        state.setState(.active, of: index)
        let moves = state.planReturn(
            to: index, homes: HomeBook(homes: homes), limits: moveLimits(), costs: costs)
        var plan = show(moves, from: state)
        plan.left = (left + plan.left).sorted { $0.vm < $1.vm }
        plan.bound()
        let id = begin(.bringBack, of: name, plan, by: who, now, &output)
        advance(id, now, &output)
        return try operation(id)
    }
}

// MARK: - Maintenance

extension Cluster {
    package func planMaintenance(
        _ request: PlanMaintenance, _ now: Moment
    ) throws(Problem) -> MaintenancePlanInfo {
        let names = request.hosts ?? hostNames.items.filter { hosts[$0]?.state == .active }
        let state = planningState()
        var indices: [HostIndex] = []
        for name in names {
            guard let index = state.host(named: name.text) else {
                throw Problem(.hostUnknown, "the cluster has no host \(name)")
            }
            if !indices.contains(index) { indices.append(index) }
        }
        if let most = request.groupMax, !(1...Limits.hostsMax).contains(most) {
            throw Problem(.invalid, "groupMax is \(most): use 1 to \(Limits.hostsMax)")
        }
        let plan = state.planMaintenance(
            of: indices, groupMax: request.groupMax ?? indices.count, limits: moveLimits(),
            costs: costs)
        func groups(_ groups: [MaintenanceGroup]) -> [MaintenancePlanInfo.Group] {
            groups.map { group in
                .init(
                    hosts: group.hosts.map { hostName($0) }, drain: show(group.drain, from: state))
            }
        }
        return MaintenancePlanInfo(
            groups: groups(plan.groups), impossible: groups(plan.impossible))
    }
}

extension PlanInfo {
    /// Cuts a plan that is too long for one record at the end of a wave; what follows is planned when that is done.
    mutating func bound() {
        guard moves.count > Limits.movesOfOperationMax else { return }
        let cut = moves[Limits.movesOfOperationMax].wave
        let dropped = moves.count
        moves.removeAll { $0.wave >= max(1, cut) }
        waves = max(1, cut)
        outcome = "\(dropped - moves.count) more moves are planned when these are over"
    }

    mutating func dropWaiting() { moves.removeAll { $0.state == .waiting } }

    func gaveUp(_ vm: VMID) -> Bool { moves.contains { $0.vmID == vm && $0.state == .failed } }

    /// A new plan takes the place of the moves that wait. Attempts count on; moves that are over are dropped, the
    /// oldest first, when there are too many for one record.
    mutating func continued(by next: PlanInfo) {
        let attempts = Dictionary(
            moves.filter { $0.state == .waiting }.map { ($0.vmID, ($0.attempts, $0.reason)) }
        ) { _, last in last }
        dropWaiting()
        let first = (moves.map(\.wave).max() ?? -1) + 1
        for var move in next.moves {
            move.wave += first
            (move.attempts, move.reason) = attempts[move.vmID] ?? (0, nil)
            moves.append(move)
        }
        let tooMany = moves.count - Limits.movesOfOperationMax
        if tooMany > 0 {
            let old = moves.prefix { !$0.isOpen }.count
            moves.removeFirst(min(tooMany, old))
        }
        left = next.left
        waves = first + next.waves
        outcome = next.outcome
    }
}
