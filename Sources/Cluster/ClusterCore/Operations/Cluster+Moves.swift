// An operation's moves: what came of those that were begun, and which end without having been begun.
//
//   open ──ordered──▶ under way ──▶ done
//    ▲  │                │
//    │  └──▶ skipped     ├──attempts left──▶ open, after a pause
//    │                   └──else──▶ failed
//    └── a drain makes a new plan when nothing can continue
//
// The order of a move under way stands in its VM's record, names its operation, and is the only place that says so: an
// open move whose VM has such an order is under way, another one waits. The operation keeps outcomes.

import API
import Model
import Placement

extension Cluster {
    func isMoveUnderWay(_ move: MoveRecord, of run: OperationRecord) -> Bool {
        currentOrder(for: move, of: run) != nil
    }

    /// The order in the VM's record that carries out this move.
    func currentOrder(for move: MoveRecord, of run: OperationRecord) -> MoveOrder? {
        guard move.isOpen, let vm = records.vms[move.vm], vm.id == move.vmID, let order = vm.move,
            order.operation == run.id, order.to == move.to
        else { return nil }
        return order
    }

    // MARK: Outcomes of migrations

    /// The migration that an order began is over.
    mutating func recordOutcome(
        of move: MoveOrder, vm: VMID, result: MigrationResult, in context: inout Context
    ) {
        balancer.recordMigrationEnd(at: context.now.uptime)
        if case .moved(let info) = result {
            if let report = info?.report, let predicted = move.predicted {
                scheduling.refineCosts(
                    from: report, predicted: predicted,
                    linkBytesPerSecond: linkBytesPerSecond(from: move.from, to: move.to))
            }
            recordHomeHost(of: vm, before: move, in: &context)
        }
        guard let id = move.operation, var run = records.operations[id], !run.isOver,
            let index = run.plan.moves.firstIndex(where: {
                $0.vmID == vm && $0.to == move.to && $0.isOpen
            })
        else { return }
        switch result {
        case .moved(let info):
            run.plan.moves[index].migration = move.migration
            completeMove(at: index, of: &run, with: info)
        case .failed(let reason, _):
            endAttempt(ofMove: index, of: &run, because: reason, at: context.now.uptime)
        }
        updateOperation(run)
    }

    func linkBytesPerSecond(from: HostName, to: HostName) -> Double {
        [from, to].compactMap { records.hosts[$0]?.description.linkBytesPerSecond }.min()
            ?? .infinity
    }

    /// A drain remembers where it took a VM from, so that it can be brought back.
    private mutating func recordHomeHost(
        of id: VMID, before move: MoveOrder, in context: inout Context
    ) {
        guard let operation = move.operation, records.operations[operation]?.kind == .drain,
            var vm = records.vms[id], vm.home == nil
        else { return }
        vm.home = move.from
        storeVMRecord(vm, in: &context)
    }

    private mutating func completeMove(
        at index: Int, of run: inout OperationRecord, with info: MigrationInfo?
    ) {
        run.plan.moves[index].recordArrival(with: info?.report)
        run.movesDone += 1
        progress[run.id]?.clearTimers(of: run.plan.moves[index].vmID)
        progress[run.id]?.markMoved()
    }

    private mutating func endAttempt(
        ofMove index: Int, of run: inout OperationRecord, because reason: String,
        at now: Duration
    ) {
        var move = run.plan.moves[index]
        progress[run.id]?.clearTimers(of: move.vmID)
        move.reason = reason
        move.migration = nil
        if run.state == .cancelling {
            move.outcome = .skipped
        } else if move.attempts >= Limits.attemptsMax {
            move.outcome = .failed
        } else {
            progress[run.id]?.delayAttempt(
                of: move.vmID, after: move.attempts, to: move.to, at: now)
        }
        run.plan.moves[index] = move
    }

    // MARK: Moves that end by themselves

    mutating func closeMove(
        at index: Int, of run: inout OperationRecord, as outcome: MoveRecord.Outcome,
        because reason: String
    ) {
        run.plan.moves[index].closeUnmoved(as: outcome, because: reason)
        progress[run.id]?.clearTimers(of: run.plan.moves[index].vmID)
    }

    /// Closes the moves whose VMs were deleted or moved otherwise, and those of which their sources say nothing.
    mutating func closeOvertakenMoves(of run: inout OperationRecord, at now: Duration) {
        var open: Set<VMID> = []
        for index in run.plan.moves.indices where run.plan.moves[index].isOpen {
            let move = run.plan.moves[index]
            guard let vm = records.vms[move.vm], vm.id == move.vmID else {
                closeMove(at: index, of: &run, as: .skipped, because: "it was deleted")
                continue
            }
            if let order = currentOrder(for: move, of: run) {
                closeIfUnconfirmed(at: index, of: &run, order: order, at: now)
            } else if !open.contains(vm.id) {
                closeIfElsewhere(at: index, of: &run, vm: vm)
            }
            if run.plan.moves[index].isOpen { open.insert(vm.id) }
        }
    }

    private mutating func closeIfElsewhere(
        at index: Int, of run: inout OperationRecord, vm: ClusterVMRecord
    ) {
        let move = run.plan.moves[index]
        guard vm.move == nil, vm.place?.host != move.from else { return }
        if vm.place?.host == move.to {
            completeMove(at: index, of: &run, with: nil)
        } else if case .never(let reason) = readiness(of: vm) {
            closeMove(at: index, of: &run, as: .skipped, because: reason)
        } else if let host = vm.place?.host {
            closeMove(
                at: index, of: &run, as: .skipped, because: "it is on host \(host) by now")
        }
    }

    /// A source that is fenced, or takes no commands, must not keep an operation from ending. The order stays in the
    /// VM's record until it is known what came of it.
    private mutating func closeIfUnconfirmed(
        at index: Int, of run: inout OperationRecord, order: MoveOrder, at now: Duration
    ) {
        let move = run.plan.moves[index]
        if isConfirmedBySource(move: order) {
            progress[run.id]?.markConfirmed(vm: move.vmID)
            return
        }
        let time = progress[run.id]?.markUnconfirmed(vm: move.vmID, at: now) ?? .zero
        if time > Limits.unconfirmedMax, !order.isCancelled {
            progress[run.id]?.requestCancel(of: move.vm)
        }
        if time > Limits.unconfirmedMax * 2 {
            run.plan.moves[index].migration = order.migration
            closeMove(
                at: index, of: &run, as: .failed,
                because:
                    "host \(order.from) does not say what became of migration \(order.migration)")
        }
    }
}

extension MoveRecord {
    fileprivate mutating func recordArrival(with report: ReportInfo?) {
        outcome = .done
        reason = nil
        guard let report else { return }
        actualSeconds = report.totalMs / 1000
        actualDowntimeMs = report.downtimeMs
        actualBytes = report.wireBytes
    }
}
