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

    private mutating func give(
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

// MARK: - Beginning moves

/// How a look at the moves that wait ended.
struct MovesLook {
    var begun: [VMName] = []
    /// Some wait for what will pass: a limit, a pause between attempts, a host that has not been heard yet.
    var isHeld = false
    /// The first that its destination does not take, and why.
    var refused: (index: Int, why: String)?
}

extension Cluster {
    /// Orders every move that may begin now.
    mutating func beginMoves(
        _ run: inout OperationRecord, _ now: Moment, _ output: inout Output
    ) -> MovesLook {
        var look = MovesLook()
        var load = moveLoad
        var own = run.info.plan.moves.count { $0.state == .running }
        /// Where moves that wait are going.
        var awaited: Set<HostName> = []
        for index in run.info.plan.moves.indices where run.info.plan.moves[index].state == .waiting
        {
            if load.isFull || own >= run.parallel ?? .max {
                look.isHeld = true
                break
            }
            let isBehind = !awaited.isEmpty
            guard let vm = movable(&run, index, now, &look) else {
                if run.info.plan.moves[index].isOpen {
                    awaited.insert(run.info.plan.moves[index].to)
                }
                continue
            }
            redirect(&run, index, vm, now)
            let to = run.info.plan.moves[index].to
            let mayOvertake = !isBehind || (!awaited.contains(to) && vm.groups.isEmpty)
            guard mayOvertake, let group = admitted(run, index, vm, load, &look) else {
                awaited.insert(to)
                continue
            }
            for member in group {
                order(&run, member, &load, now, &output)
                look.begun.append(run.info.plan.moves[member].vm)
            }
            own += group.count
        }
        return look
    }

    /// The VM of a move, when it can be moved now.
    private mutating func movable(
        _ run: inout OperationRecord, _ index: Int, _ now: Moment, _ look: inout MovesLook
    ) -> ClusterVMRecord? {
        let move = run.info.plan.moves[index]
        guard let vm = vms[move.vm], vm.id == move.vmID else { return nil }
        // A leg before this one is not over.
        guard vm.place?.host == move.from || vm.place == nil else { return nil }
        switch readiness(of: vm) {
        case .ready:
            operationSights[run.info.id]?.heldSince[vm.id] = nil
        case .never(let why):
            give(up: &run, index, .skipped, why)
            return nil
        case .later(let why):
            hold(&run, index, vm, why, now, &look)
            return nil
        }
        if let retryAt = operationSights[run.info.id]?.retryAt[vm.id], retryAt > now.uptime {
            look.isHeld = true
            return nil
        }
        return vm
    }

    private mutating func hold(
        _ run: inout OperationRecord, _ index: Int, _ vm: ClusterVMRecord, _ why: String,
        _ now: Moment, _ look: inout MovesLook
    ) {
        let since = operationSights[run.info.id]?.heldSince[vm.id] ?? now.uptime
        operationSights[run.info.id]?.heldSince[vm.id] = since
        // Another operation's move ends by itself.
        if vm.move == nil, now.uptime - since > Limits.holdMax {
            give(up: &run, index, .skipped, why)
        } else {
            look.isHeld = true
        }
    }

    /// Chooses another destination where the planned one failed the VM or is no longer active.
    private mutating func redirect(
        _ run: inout OperationRecord, _ index: Int, _ vm: ClusterVMRecord, _ now: Moment
    ) {
        let move = run.info.plan.moves[index]
        let shunned = operationSights[run.info.id]?.shunned[vm.id] ?? []
        guard run.mayRedirect, move.plannedFor != .stopover,
            shunned.contains(move.to) || hosts[move.to]?.state != .active,
            let row = scheduler.vm(vm.id), scheduler.bundle(of: row).count == 1,
            let other = bestDestination(of: row, except: shunned)
        else { return }
        run.info.plan.moves[index].to = other
        run.info.plan.moves[index].why =
            "host \(move.to) did not take it (\(move.reason ?? "it is not active any more")); the policy's next is host \(other)"
        run.info.plan.moves[index].predicted = predict(row, from: move.from, to: other)
    }

    func bestDestination(of row: VMIndex, except shunned: Set<HostName>) -> HostName? {
        scheduler.explain(row, by: policy).verdicts.enumerated()
            .compactMap { index, verdict in verdict.score.map { (hostName(index), $0) } }
            .filter { !shunned.contains($0.0) && isHeard($0.0) }
            .max { ($0.1, $1.0) < ($1.1, $0.0) }?.0
    }

    func predict(_ row: VMIndex, from: HostName, to: HostName) -> MovePrediction {
        let speeds = [from, to].compactMap { hosts[$0]?.registration.linkBytesPerSecond }
        return MovePrediction(
            costs.predict(
                scheduler.description(of: row), linkBytesPerSecond: speeds.min() ?? .infinity))
    }

    /// The moves that begin together with this one, itself among them; nil when it cannot begin now.
    private func admitted(
        _ run: OperationRecord, _ index: Int, _ vm: ClusterVMRecord, _ load: MoveLoad,
        _ look: inout MovesLook
    ) -> [Int]? {
        let move = run.info.plan.moves[index]
        guard let row = scheduler.vm(vm.id), let to = scheduler.host(named: move.to.text) else {
            look.refused = look.refused ?? (index, "host \(move.to) is not in the cluster")
            return nil
        }
        guard hosts[move.to]?.state != .active || isHeard(move.to) else {
            look.isHeld = true
            return nil
        }
        let group = companions(run, index, row)
        guard
            load.hasRoom(
                for: group.count, from: move.from, to: move.to, links: links(move.from, move.to))
        else {
            look.isHeld = true
            return nil
        }
        let rows = group.compactMap { scheduler.vm(run.info.plan.moves[$0].vmID) }
        if let refusal = refusal(of: rows, on: to) {
            look.refused = look.refused ?? (index, "host \(move.to): \(refusal)")
            return nil
        }
        return group
    }

    /// The waiting moves of the VMs that have to go along with this one.
    private func companions(_ run: OperationRecord, _ index: Int, _ row: VMIndex) -> [Int] {
        let bundle = Set(scheduler.bundle(of: row).map { scheduler.description(of: $0).id })
        guard bundle.count > 1 else { return [index] }
        let (from, to) = (run.info.plan.moves[index].from, run.info.plan.moves[index].to)
        return run.info.plan.moves.indices.filter {
            let move = run.info.plan.moves[$0]
            return move.state == .waiting && move.from == from && move.to == to
                && bundle.contains(move.vmID)
                && vms[move.vm].map { readiness(of: $0) == .ready } ?? false
        }
    }

    private func refusal(of rows: [VMIndex], on host: HostIndex) -> Refusal? {
        if rows.count == 1 { return scheduler.refusal(of: rows[0], on: host, for: .migration) }
        var state = scheduler
        for row in rows {
            if let refusal = state.refusal(of: row, on: host, for: .migration, with: rows) {
                return refusal
            }
            state.beginMove(row, to: host)
        }
        return nil
    }

    private mutating func order(
        _ run: inout OperationRecord, _ index: Int, _ load: inout MoveLoad, _ now: Moment,
        _ output: inout Output
    ) {
        let move = run.info.plan.moves[index]
        guard var vm = vms[move.vm] else { return }
        let migration = newIdentifier()
        vm.move = MoveOrder(
            migration: migration, from: move.from, to: move.to, operation: run.info.id,
            sinceMs: now.wallMs, predicted: move.predicted)
        vmSights[vm.id]?.forgetMove()
        vmSights[vm.id]?.isMoveFresh = true
        vmSights[vm.id]?.retryAt = now.uptime
        save(vm, &output, now)
        load.add(from: move.from, to: move.to, links: links(move.from, move.to))
        run.info.plan.moves[index].state = .running
        run.info.plan.moves[index].migration = migration
        run.info.plan.moves[index].attempts += 1
        run.info.plan.moves[index].reason = nil
    }

    /// Asks for the end of every move of an operation that is under way.
    mutating func cancelMoves(
        of id: OperationID, to host: HostName? = nil, _ now: Moment, _ output: inout Output
    ) {
        for name in moving.compactMap({ names[$0] }).sorted() {
            guard let move = vms[name]?.move, move.operation == id, host == nil || move.to == host
            else { continue }
            cancelMove(of: name, now, &output)
        }
    }

    mutating func cancelMove(of name: VMName, _ now: Moment, _ output: inout Output) {
        guard var vm = vms[name], let move = vm.move, !move.isCancelled else { return }
        vm.move?.isCancelled = true
        save(vm, &output, now)
        reconcile(name, now, &output)
    }
}

extension MoveInfo {
    var isOpen: Bool { state == .waiting || state == .running }
}
