// Executing an operation's moves: which may begin now, what came of those that were begun, which are tried again.
//
//   waiting ──ordered──▶ running ──▶ done
//    ▲  │                   │
//    │  └──▶ skipped        ├──attempts left──▶ waiting, after a pause
//    │                      └──else──▶ failed
//    └── a drain's plan is made anew when nothing can go on
//
// Moves begin in the plan's order, as limits and the destination's filters allow. One may overtake another that waits,
// when the two have different destinations and it belongs to no group: so every destination receives its VMs in the
// plan's order, early departures only make room, and what the plan found to fit still fits. The first that waits can
// therefore always begin once all before it are over, unless the cluster changed; then the plan is at an end.
//
// An order stands in its VM's record, and names its operation: what is known of a move is found again from there.

import API
import Model
import Placement

/// What is remembered of an operation beside its record, as long as this controller leads.
struct OperationSight {
    /// Its progress is newer than what the store has.
    var isUnstored = false
    var storedAt = Duration.zero
    var retryAt: [VMID: Duration] = [:]
    /// Destinations that failed a VM.
    var shunned: [VMID: Set<HostName>] = [:]
    /// Since when a VM is waited for.
    var heldSince: [VMID: Duration] = [:]
    /// Since when a source does not say that it runs the migration.
    var unconfirmedSince: [VMID: Duration] = [:]
    var plansInVain = 0
    /// VMs whose migration is to be ended.
    var toCancel: Set<VMName> = []
}

// MARK: - What came of moves

extension Cluster {
    /// A move that an operation ordered is over.
    mutating func moveEnded(
        _ vm: VMID, _ move: MoveOrder, _ result: MoveResult, _ now: Moment,
        _ output: inout Output
    ) {
        balancer.lastMoveEndedAt = now.uptime
        if case .moved(let info) = result {
            if let info { fitCosts(to: info, predicted: move.predicted, move) }
            noteHome(vm, move, &output, now)
        }
        guard let id = move.operation, var run = operations[id], !run.info.isOver,
            let index = run.info.plan.moves.firstIndex(where: {
                $0.vmID == vm && $0.to == move.to && ($0.state == .running || $0.state == .waiting)
            })
        else { return }
        switch result {
        case .moved(let info): done(&run, index, info)
        case .failed(let why, _):
            // Ordered by an earlier controller, whose last word on it was not stored.
            if run.info.plan.moves[index].state == .waiting {
                run.info.plan.moves[index].attempts += 1
            }
            attemptFailed(&run, index, why, now)
        }
        keep(run)
    }

    /// A drain remembers where it took a VM from, so that it can be brought back.
    private mutating func noteHome(
        _ vm: VMID, _ move: MoveOrder, _ output: inout Output, _ now: Moment
    ) {
        guard let id = move.operation, operations[id]?.info.kind == .drain,
            let name = names[vm], var record = vms[name], record.home == nil
        else { return }
        record.home = move.from
        save(record, &output, now)
    }

    private mutating func done(_ run: inout OperationRecord, _ index: Int, _ info: MigrationInfo?) {
        var move = run.info.plan.moves[index]
        move.state = .done
        move.reason = nil
        if let report = info?.report {
            move.actualSeconds = report.totalMs / 1000
            move.actualDowntimeMs = report.downtimeMs
            move.actualBytes = report.wireBytes
        }
        run.info.plan.moves[index] = move
        run.info.movesDone += 1
        forget(move.vmID, in: run)
        operationSights[run.info.id]?.plansInVain = 0
    }

    private mutating func attemptFailed(
        _ run: inout OperationRecord, _ index: Int, _ why: String, _ now: Moment
    ) {
        var move = run.info.plan.moves[index]
        forget(move.vmID, in: run)
        move.reason = why
        move.migration = nil
        if run.info.state == .cancelling {
            move.state = .skipped
        } else if move.attempts >= Limits.attemptsMax {
            move.state = .failed
        } else {
            move.state = .waiting
            let pause = Limits.attemptBackOffFirst * (1 << max(0, move.attempts - 1))
            operationSights[run.info.id]?.retryAt[move.vmID] =
                now.uptime + min(pause, Limits.attemptBackOffMax)
            operationSights[run.info.id]?.shunned[move.vmID, default: []].insert(move.to)
        }
        run.info.plan.moves[index] = move
    }

    private mutating func forget(_ vm: VMID, in run: OperationRecord) {
        operationSights[run.info.id]?.heldSince[vm] = nil
        operationSights[run.info.id]?.unconfirmedSince[vm] = nil
        operationSights[run.info.id]?.retryAt[vm] = nil
    }

    mutating func give(
        up run: inout OperationRecord, _ index: Int, _ state: MoveInfo.State, _ why: String
    ) {
        run.info.plan.moves[index].state = state
        run.info.plan.moves[index].reason = why
        forget(run.info.plan.moves[index].vmID, in: run)
    }

    /// The operation's moves follow the VMs' records: after a change of controllers, or when others moved or ended VMs.
    mutating func settleMoves(_ run: inout OperationRecord, _ now: Moment) {
        var open: Set<VMID> = []
        for index in run.info.plan.moves.indices where run.info.plan.moves[index].isOpen {
            let move = run.info.plan.moves[index]
            guard let vm = vms[move.vm], vm.id == move.vmID else {
                give(up: &run, index, .skipped, "it was deleted")
                continue
            }
            if vm.move?.operation == run.info.id, vm.move?.to == move.to {
                settleOrdered(&run, index, vm, now)
            } else if move.state == .running {
                settleLost(&run, index, vm, now)
            } else if !open.contains(vm.id) {
                settleWaiting(&run, index, vm)
            }
            if run.info.plan.moves[index].isOpen { open.insert(vm.id) }
        }
    }

    private mutating func settleOrdered(
        _ run: inout OperationRecord, _ index: Int, _ vm: ClusterVMRecord, _ now: Moment
    ) {
        guard let order = vm.move else { return }
        if run.info.plan.moves[index].state == .waiting {
            run.info.plan.moves[index].attempts += 1
            run.info.plan.moves[index].state = .running
        }
        run.info.plan.moves[index].migration = order.migration
        giveUpUnconfirmed(&run, index, vm, order, now)
    }

    /// Its order is gone from the VM's record, and nobody was told how it ended.
    private mutating func settleLost(
        _ run: inout OperationRecord, _ index: Int, _ vm: ClusterVMRecord, _ now: Moment
    ) {
        if vm.place?.host == run.info.plan.moves[index].to {
            done(&run, index, nil)
        } else {
            attemptFailed(&run, index, "it ended, and nobody noted how", now)
        }
    }

    private mutating func settleWaiting(
        _ run: inout OperationRecord, _ index: Int, _ vm: ClusterVMRecord
    ) {
        let move = run.info.plan.moves[index]
        guard vm.move == nil, vm.place?.host != move.from else { return }
        if vm.place?.host == move.to {
            done(&run, index, nil)
        } else if case .never(let why) = readiness(of: vm) {
            give(up: &run, index, .skipped, why)
        } else if let host = vm.place?.host {
            give(up: &run, index, .skipped, "it is on host \(host) by now")
        }
    }

    /// A source that is fenced, or takes no commands, must not keep an operation from ending. The order stays in the
    /// VM's record until somebody knows what came of it.
    private mutating func giveUpUnconfirmed(
        _ run: inout OperationRecord, _ index: Int, _ vm: ClusterVMRecord, _ order: MoveOrder,
        _ now: Moment
    ) {
        let id = run.info.id
        if hostSights[order.from]?.migrations[order.migration] != nil, isHeard(order.from) {
            operationSights[id]?.unconfirmedSince[vm.id] = nil
            return
        }
        let since = operationSights[id]?.unconfirmedSince[vm.id] ?? now.uptime
        operationSights[id]?.unconfirmedSince[vm.id] = since
        if now.uptime - since > Limits.unconfirmedMax, !order.isCancelled {
            operationSights[id]?.toCancel.insert(vm.name)
        }
        if now.uptime - since > Limits.unconfirmedMax * 2 {
            give(
                up: &run, index, .failed,
                "host \(order.from) does not say what became of migration \(order.migration)")
        }
    }
}

extension MoveInfo {
    var isOpen: Bool { state == .waiting || state == .running }
}
