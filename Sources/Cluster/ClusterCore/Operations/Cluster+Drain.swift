// Drains: a host is emptied for maintenance.
//
// The host takes nothing from the moment at which its drain begins. VMs that run are moved by plan. VMs that are at
// rest hold nothing that could be lost: their copies are removed, and they are placed again when they are started. VMs
// that arrive late (migrations and starts that were under way) are planned for when the moves before them are over, and
// so are those that one plan had no room for. What is left then is named with its reason, and the host stays draining.

package import API
package import Model
import Placement

extension Cluster {
    // MARK: Planning

    /// Changes nothing.
    package func planDrain(
        of name: HostName, as request: DrainHost
    ) throws(Problem) -> PlanInfo {
        try checkDrain(of: name, request: request)
        return PlanInfo(drainPlan(of: name, parallel: request.parallel))
    }

    private func checkDrain(of name: HostName, request: DrainHost) throws(Problem) {
        let host = try hostRecord(named: name)
        if let parallel = request.parallel, !(1...1000).contains(parallel) {
            throw Problem(.invalid, detail: "parallel is \(parallel): use 1 to 1000")
        }
        guard host.silence == nil else {
            throw Problem(
                .wrongState,
                detail:
                    "host \(name) is unreachable: nothing can be moved from it. When it is off, say so (fence): VMs with failure policy restart then start elsewhere"
            )
        }
    }

    /// - Parameter run: the drain under way that needs a new plan: VMs that it has given up stay.
    private func drainPlan(
        of name: HostName, parallel: Int?, continuing run: OperationRecord? = nil
    ) -> PlanRecord {
        var state = planningState(without: run?.id)
        let index = state.indexOfHost(named: name.text)
        var left: [UnmovedVM] = []
        var atRest = 0
        for row in index.map({ state.hostedVMs(on: $0) }) ?? []
        where state.migrationTarget(of: row) == nil {
            switch drainDecision(on: row, in: state, continuing: run) {
            case .plan: continue
            case .releaseAtRest: atRest += 1
            case .leave(let reason):
                if let vm = displayName(of: row, in: state) {
                    left.append(UnmovedVM(vm: vm, why: reason))
                }
            }
            state.unregisterVM(row)
        }
        let moves = state.planDrain(
            of: index.map { [$0] } ?? [], limits: moveLimits(parallel: parallel),
            costs: scheduling.costs)
        var plan = planRecord(for: moves, from: state)
        plan.addUnmovedVMs(left)
        plan.limitMoves()
        if atRest > 0 {
            let note = "\(atRest) at rest: removed there, and placed again when started"
            plan.outcome = plan.outcome.map { "\($0); \(note)" } ?? note
        }
        return plan
    }

    private enum DrainDecision {
        case plan, releaseAtRest
        case leave(because: String)
    }

    private func drainDecision(
        on row: VMIndex, in state: ClusterState, continuing run: OperationRecord?
    ) -> DrainDecision {
        guard let vm = records.vms[state.description(of: row).id] else {
            return .leave(
                because: "the cluster does not keep it: move it or delete it by its host's agent")
        }
        if isVMAtRest(vm) { return .releaseAtRest }
        if let failed = run?.plan.moves.last(where: { $0.vmID == vm.id && $0.outcome == .failed }) {
            return .leave(because: failed.reason ?? "it could not be moved")
        }
        return readiness(of: vm).reason.map { .leave(because: $0) } ?? .plan
    }

    // MARK: Draining

    /// The drain of a host that is drained already is that drain.
    package mutating func drainHost(
        named name: HostName, as request: DrainHost, requestedBy who: String,
        in context: inout Context
    ) throws(Problem) -> OperationInfo {
        try checkDrain(of: name, request: request)
        if let run = drainUnderWay(of: name) { return operationInfo(for: run) }
        var host = try hostRecord(named: name)
        host.wanted = .draining
        storeHostRecord(host, in: &context)
        yieldToDrain(of: name, in: &context)
        let id = createOperation(
            for: OperationRequest(
                kind: .drain, host: name,
                plan: drainPlan(of: name, parallel: request.parallel), requestedBy: who,
                parallel: request.parallel, mayRedirect: true), in: &context)
        host = try hostRecord(named: name)
        host.operation = id
        storeHostRecord(host, in: &context)
        advanceOperation(withID: id, in: &context)
        return try operation(withID: id)
    }

    func drainUnderWay(of host: HostName) -> OperationRecord? {
        records.operations.firstUnderWay {
            $0.kind == .drain && $0.host == host && $0.state == .running
        }
    }

    /// Balance gives way. Migrations to the host would only have to be made again.
    private mutating func yieldToDrain(of host: HostName, in context: inout Context) {
        for run in records.operations.underWay {
            if run.kind == .balance, var balance = records.operations[run.id] {
                balance.state = .cancelling
                balance.detail = "host \(host) is drained"
                updateOperation(balance)
            }
            cancelMigrations(of: run.id, to: host, in: &context)
        }
    }

    /// A drain has nothing under way: perhaps there is more to do, else it ends.
    mutating func closeDrain(
        for run: OperationRecord, after look: MoveStartResult, in context: inout Context
    ) {
        guard let name = run.host, var host = records.hosts[name], host.silence?.fence == nil
        else { return endIncompleteDrain(for: run, after: look, in: &context) }
        guard host.silence == nil else { return }
        guard !hasPendingWork(on: name, besides: run.id) else { return }
        releaseAtRest(on: name, in: &context)
        if replanDrain(for: run, at: context.now.uptime) { return }
        guard assignedVMs(on: name).isEmpty else {
            return endIncompleteDrain(for: run, after: look, in: &context)
        }
        host.wanted = .maintenance
        storeHostRecord(host, in: &context)
        endOperation(withID: run.id, as: .succeeded, detail: unmanagedText(on: name), in: &context)
    }

    /// VMs of the cluster that stand on a host or are on their way there, by name.
    private func assignedVMs(on host: HostName) -> [ClusterVMRecord] {
        records.vms.vmRecords(concerning: host).filter {
            $0.place?.host == host || $0.start?.host == host || $0.move?.to == host
        }
    }

    /// Whether something is under way with VMs of a host that ends by itself.
    private func hasPendingWork(on host: HostName, besides id: OperationID) -> Bool {
        let leaving = records.operations.underWay.filter { $0.id != id }
            .flatMap(\.plan.moves).filter { $0.isOpen && $0.from == host }.map(\.vmID)
        return assignedVMs(on: host).contains { vm in
            leaving.contains(vm.id) || vm.move.map { isConfirmedBySource(move: $0) } ?? false
        }
    }

    /// VMs at rest leave a host by being removed there.
    private mutating func releaseAtRest(on host: HostName, in context: inout Context) {
        for var vm in assignedVMs(on: host) where isVMAtRest(vm) && vm.place?.host == host {
            vm.leavePlace(upTo: vm.epochMax, retiring: [host])
            storeVMRecord(vm, in: &context)
            reconcileVM(named: vm.name, in: &context)
        }
    }

    /// Plans for what still stands on the host; false when nothing more can be done.
    private mutating func replanDrain(for run: OperationRecord, at now: Duration) -> Bool {
        guard let host = run.host, progress[run.id]?.mayPlanAgain ?? false,
            !assignedVMs(on: host).isEmpty
        else { return false }
        if assignedVMs(on: host).contains(where: { mayBecomeReady(vm: $0, in: run, at: now) }) {
            return true
        }
        var run = run
        let plan = drainPlan(of: host, parallel: run.parallel, continuing: run)
        guard !plan.moves.isEmpty else {
            run.plan.dropOpenMoves()
            run.plan.left = plan.left
            updateOperation(run)
            return false
        }
        run.plan.replaceOpenMoves(by: plan)
        progress[run.id]?.markPlanned()
        updateOperation(run)
        return true
    }

    /// A VM that cannot be moved now is waited for, but with a limit.
    private mutating func mayBecomeReady(
        vm: ClusterVMRecord, in run: OperationRecord, at now: Duration
    ) -> Bool {
        guard case .later = readiness(of: vm), !run.plan.hasFailedMove(of: vm.id) else {
            return false
        }
        return !(progress[run.id]?.recordHold(of: vm.id, at: now) ?? false)
    }

    private mutating func endIncompleteDrain(
        for run: OperationRecord, after look: MoveStartResult, in context: inout Context
    ) {
        guard var run = records.operations[run.id], let name = run.host else { return }
        if let refused = look.refused, run.plan.moves.indices.contains(refused.index),
            run.plan.moves[refused.index].isOpen
        {
            run.plan.moves[refused.index].closeUnmoved(as: .failed, because: refused.reason)
        }
        skipWaitingMoves(of: &run, because: "the drain ended before its turn came")
        records.operations.replaceRecord(run)
        guard let host = records.hosts[name], host.silence == nil else {
            let what = records.hosts[name] == nil ? "left the cluster" : "is unreachable"
            return endOperation(
                withID: run.id, as: .incomplete, detail: "host \(name) \(what)", in: &context)
        }
        let reasons = run.plan.reasonsOfUnmoved
        let left = assignedVMs(on: name).map { vm in
            UnmovedVM(
                vm: vm.name,
                why: reasons[vm.name] ?? readiness(of: vm).reason
                    ?? "it came when the drain ended")
        }
        endOperation(
            withID: run.id, as: .incomplete, detail: PlanRecord.summaryText(ofUnmoved: left),
            in: &context)
    }

    private func unmanagedText(on host: HostName) -> String? {
        let unmanaged = observations.unmanagedVMs(on: host).values.map(\.name).sorted()
        guard !unmanaged.isEmpty else { return nil }
        let names = unmanaged.prefix(Limits.namesInDetailMax).map(\.text).joined(separator: ", ")
        return "VMs that the cluster does not keep are still there: \(names)"
    }
}

extension PlanRecord {
    mutating func addUnmovedVMs(_ more: [UnmovedVM]) {
        left = (more + left).sorted { $0.vm < $1.vm }
    }

    /// Cuts a plan that is too long for one record at the end of a wave; what follows is planned when that is done.
    mutating func limitMoves() {
        guard moves.count > Limits.movesOfOperationMax else { return }
        let cut = moves[Limits.movesOfOperationMax].wave
        let dropped = moves.count
        moves.removeAll { $0.wave >= max(1, cut) }
        waves = max(1, cut)
        outcome = "\(dropped - moves.count) more moves are planned when these are over"
    }

    fileprivate mutating func dropOpenMoves() { moves.removeAll(where: \.isOpen) }

    fileprivate func hasFailedMove(of vm: VMID) -> Bool {
        moves.contains { $0.vmID == vm && $0.outcome == .failed }
    }

    fileprivate var reasonsOfUnmoved: [VMName: String] {
        let undone = moves.filter { $0.outcome == .failed || $0.outcome == .skipped }
        return Dictionary(
            left.map { ($0.vm, $0.why) } + undone.map { ($0.vm, $0.reason ?? "") }
        ) { first, _ in first }
    }

    /// A new plan takes the place of the moves that wait. Attempts count on; moves that are over are dropped, the
    /// oldest first, when there are too many for one record.
    fileprivate mutating func replaceOpenMoves(by next: PlanRecord) {
        let attempts = Dictionary(
            moves.filter(\.isOpen).map { ($0.vmID, ($0.attempts, $0.reason)) }
        ) { _, last in last }
        dropOpenMoves()
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
