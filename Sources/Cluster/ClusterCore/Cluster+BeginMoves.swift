// Which of an operation's moves may begin now: see Cluster+Moves for the rule.

import API
import Model
import Placement

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
            let mayOvertake = !isBehind || (!awaited.contains(to) && vm.policy.groups.isEmpty)
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
