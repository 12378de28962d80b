// Which of an operation's moves may begin now.
//
// Moves begin in the plan's order, as limits and the destination's filters allow. One may overtake another that waits,
// when the two have different destinations and it belongs to no group: so every destination receives its VMs in the
// plan's order, early departures only make room, and what the plan found to fit still fits. The first that waits can
// therefore always begin once all before it are over, unless the cluster changed; then the plan is at an end.

import API
import Model
import Placement

/// How a look at the moves that wait ended.
struct MoveStartResult {
    var begun: [VMName] = []
    /// Some wait for what will pass: a limit, a pause between attempts, a host that has not been heard yet.
    var isHeld = false
    /// The first that its destination does not take, and why.
    var refused: (index: Int, reason: String)?

    mutating func recordRefusal(ofMove index: Int, because reason: String) {
        refused = refused ?? (index, reason)
    }
}

extension Cluster {
    /// Orders every move that may begin now.
    mutating func beginMoves(
        of run: inout OperationRecord, in context: inout Context
    ) -> MoveStartResult {
        var look = MoveStartResult()
        var load = migrationLoad
        var own = run.plan.moves.count { isMoveUnderWay($0, of: run) }
        /// Where moves that wait are going.
        var awaited: Set<HostName> = []
        for index in run.plan.moves.indices
        where run.plan.moves[index].isOpen && !isMoveUnderWay(run.plan.moves[index], of: run) {
            if load.isFull || own >= run.parallel ?? .max {
                look.isHeld = true
                break
            }
            let isBehind = !awaited.isEmpty
            guard
                let vm = movableVM(ofMove: index, of: &run, updating: &look, at: context.now.uptime)
            else {
                if run.plan.moves[index].isOpen { awaited.insert(run.plan.moves[index].to) }
                continue
            }
            redirectIfNeeded(move: index, of: &run, vm: vm)
            let to = run.plan.moves[index].to
            let mayOvertake = !isBehind || (!awaited.contains(to) && vm.policy.groups.isEmpty)
            guard mayOvertake,
                let group = admittedMoves(including: index, of: run, load: load, updating: &look)
            else {
                awaited.insert(to)
                continue
            }
            for member in group {
                orderMigration(
                    forMove: member, of: &run, load: &load, updating: &look, in: &context)
            }
            own += group.count
        }
        return look
    }

    /// The VM of a move, when it can be moved now.
    private mutating func movableVM(
        ofMove index: Int, of run: inout OperationRecord, updating look: inout MoveStartResult,
        at now: Duration
    ) -> ClusterVMRecord? {
        let move = run.plan.moves[index]
        guard let vm = records.vms[move.vm], vm.id == move.vmID else { return nil }
        // A leg before this one is not over.
        guard vm.place?.host == move.from || vm.place == nil else { return nil }
        switch readiness(of: vm) {
        case .ready: progress[run.id]?.clearHold(of: vm.id)
        case .never(let reason):
            closeMove(at: index, of: &run, as: .skipped, because: reason)
            return nil
        case .later(let reason):
            // Another operation's migration ends by itself.
            if progress[run.id]?.recordHold(of: vm.id, at: now) ?? false, vm.move == nil {
                closeMove(at: index, of: &run, as: .skipped, because: reason)
            } else {
                look.isHeld = true
            }
            return nil
        }
        if progress[run.id]?.isAttemptDelayed(for: vm.id, at: now) ?? false {
            look.isHeld = true
            return nil
        }
        return vm
    }

    /// Chooses another destination where the planned one failed the VM or is no longer active.
    private mutating func redirectIfNeeded(
        move index: Int, of run: inout OperationRecord, vm: ClusterVMRecord
    ) {
        let move = run.plan.moves[index]
        let failed = progress[run.id]?.destinationsThatFailed(for: vm.id) ?? []
        guard run.mayRedirect, move.plannedFor != .stopover,
            failed.contains(move.to) || records.hosts[move.to]?.state != .active,
            let row = scheduling.state.indexOfVM(withID: vm.id),
            scheduling.state.affinityBundle(of: row).count == 1,
            let other = bestDestination(of: row, except: failed)
        else { return }
        run.plan.moves[index].to = other
        run.plan.moves[index].why =
            "host \(move.to) did not take it (\(move.reason ?? "it is not active any more")); the policy's next is host \(other)"
        run.plan.moves[index].predicted = predictMove(of: row, from: move.from, to: other)
    }

    func bestDestination(of row: VMIndex, except excluded: Set<HostName>) -> HostName? {
        scheduling.state.explainPlacement(of: row, using: scheduling.policy).verdicts.enumerated()
            .compactMap { index, verdict in
                verdict.score.map { (scheduling.hostName(at: index), $0) }
            }
            .filter { !excluded.contains($0.0) && hasCurrentHeartbeat(from: $0.0) }
            .max { ($0.1, $1.0) < ($1.1, $0.0) }?.0
    }

    func predictMove(of row: VMIndex, from: HostName, to: HostName) -> MovePrediction {
        MovePrediction(
            scheduling.costs.predictMigration(
                of: scheduling.state.description(of: row),
                linkBytesPerSecond: linkBytesPerSecond(from: from, to: to)))
    }

    /// The moves that begin together with this one, itself among them; nil when it cannot begin now.
    private func admittedMoves(
        including index: Int, of run: OperationRecord, load: MigrationLoad,
        updating look: inout MoveStartResult
    ) -> [Int]? {
        let move = run.plan.moves[index]
        guard let row = scheduling.state.indexOfVM(withID: move.vmID),
            let to = scheduling.state.indexOfHost(named: move.to.text)
        else {
            look.recordRefusal(ofMove: index, because: "host \(move.to) is not in the cluster")
            return nil
        }
        guard records.hosts[move.to]?.state != .active || hasCurrentHeartbeat(from: move.to) else {
            look.isHeld = true
            return nil
        }
        let group = companionMoves(ofMove: index, of: run, row: row)
        guard
            load.hasCapacity(
                count: group.count, along: migrationRoute(from: move.from, to: move.to))
        else {
            look.isHeld = true
            return nil
        }
        let rows = group.compactMap { scheduling.state.indexOfVM(withID: run.plan.moves[$0].vmID) }
        if let refusal = migrationRefusal(of: rows, to: to) {
            look.recordRefusal(ofMove: index, because: "host \(move.to): \(refusal)")
            return nil
        }
        return group
    }

    /// The waiting moves of the VMs that have to move along with this one.
    private func companionMoves(ofMove index: Int, of run: OperationRecord, row: VMIndex) -> [Int] {
        let state = scheduling.state
        let bundle = Set(state.affinityBundle(of: row).map { state.description(of: $0).id })
        guard bundle.count > 1 else { return [index] }
        let (from, to) = (run.plan.moves[index].from, run.plan.moves[index].to)
        return run.plan.moves.indices.filter {
            let move = run.plan.moves[$0]
            return move.isOpen && move.from == from && move.to == to && bundle.contains(move.vmID)
                && records.vms[move.vm].map { readiness(of: $0) == .ready } ?? false
        }
    }

    private func migrationRefusal(of rows: [VMIndex], to host: HostIndex) -> Refusal? {
        var state = scheduling.state
        if rows.count == 1 { return state.refusalReason(of: rows[0], on: host, for: .migration) }
        for row in rows {
            if let refusal = state.refusalReason(of: row, on: host, for: .migration, with: rows) {
                return refusal
            }
            state.beginMigration(of: row, to: host)
        }
        return nil
    }

    private mutating func orderMigration(
        forMove index: Int, of run: inout OperationRecord, load: inout MigrationLoad,
        updating look: inout MoveStartResult, in context: inout Context
    ) {
        let move = run.plan.moves[index]
        look.begun.append(move.vm)
        guard var vm = records.vms[move.vm] else { return }
        vm.move = MoveOrder(
            migration: newIdentifier(), from: move.from, to: move.to, operation: run.id,
            sinceMs: context.now.wallMs, predicted: move.predicted)
        observations[vm.id]?.migration = .fresh
        commands.postponeCommands(for: vm.id, until: context.now.uptime)
        storeVMRecord(vm, in: &context)
        load.addMigration(along: migrationRoute(from: move.from, to: move.to))
        run.plan.moves[index].attempts += 1
        run.plan.moves[index].reason = nil
    }

    // MARK: Cancelling

    /// Asks for the end of every migration of an operation that is under way.
    mutating func cancelMigrations(
        of id: OperationID, to host: HostName? = nil, in context: inout Context
    ) {
        for vm in records.vms.recordsWithMigration {
            guard let move = records.vms[vm.name]?.move, move.operation == id,
                host == nil || move.to == host
            else { continue }
            cancelMigration(of: vm.name, in: &context)
        }
    }

    mutating func cancelMigration(of name: VMName, in context: inout Context) {
        guard var vm = records.vms[name], let move = vm.move, !move.isCancelled else { return }
        vm.move?.isCancelled = true
        storeVMRecord(vm, in: &context)
        reconcileVM(named: name, in: &context)
    }
}
