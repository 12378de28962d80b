// Operations: how they begin, go on, end and are kept. What their moves do is in Cluster+Moves.
//
//   running ──▶ succeeded | incomplete
//      └──▶ cancelling ──▶ cancelled
//
// A begin and an end are stored at once. Progress in between is stored at most once a second: the moves that are under
// way stand in the VMs' records, so that a new controller loses at most a second's figures.

package import API
package import Model
import Placement

extension Cluster {
    // MARK: Looking

    package func operation(_ id: OperationID) throws(Problem) -> OperationInfo {
        try operationRecord(id).info
    }

    private func operationRecord(_ id: OperationID) throws(Problem) -> OperationRecord {
        guard let operation = operations[id] else {
            throw Problem(.operationNotFound, "the cluster knows no operation \(id)")
        }
        return operation
    }

    /// The newest first.
    package func operations(
        after: OperationID?, limit: Int, state: OperationInfo.State? = nil
    ) -> Page<OperationInfo> {
        var all = operations.values.sorted { OperationRecord.isOlder($1, $0) }
        if let after {
            guard let last = operations[after] else { return Page(items: []) }
            all.removeAll { !OperationRecord.isOlder($0, last) }
        }
        let found = all.lazy.map(\.info).filter { state == nil || $0.state == state }
        let items = Array(found.prefix(limit + 1))
        return items.count > limit
            ? Page(items: Array(items.dropLast()), next: items[limit - 1].id.description)
            : Page(items: items)
    }

    /// The operations that are not over, the oldest first.
    var operationsUnderWay: [OperationRecord] {
        operations.values.filter { !$0.info.isOver }.sorted(by: OperationRecord.isOlder)
    }

    // MARK: Beginning

    mutating func begin(
        _ kind: OperationInfo.Kind, of host: HostName? = nil, _ plan: PlanInfo, by who: String,
        parallel: Int? = nil, mayRedirect: Bool = false, _ now: Moment, _ output: inout Output
    ) -> OperationID {
        let info = OperationInfo(
            id: newIdentifier(), revision: 0, kind: kind, state: .running, host: host,
            startedAtMs: now.wallMs, startedBy: who, plan: plan, movesDone: 0)
        operations[info.id] = OperationRecord(
            info: info, parallel: parallel, mayRedirect: mayRedirect)
        operationSights[info.id] = OperationSight()
        store(info.id, now, &output)
        return info.id
    }

    /// What is known of an operation now.
    mutating func keep(_ run: OperationRecord) {
        guard operations[run.info.id] != run else { return }
        operations[run.info.id] = run
        operationSights[run.info.id]?.isUnstored = true
    }

    private mutating func store(_ id: OperationID, _ now: Moment, _ output: inout Output) {
        guard var run = operations[id] else { return }
        run.version += 1
        run.info.revision = run.version
        operations[id] = run
        operationSights[id]?.isUnstored = false
        operationSights[id]?.storedAt = now.uptime
        output.note(.operation(id))
    }

    // MARK: Going on

    /// Operations go on: moves begin, attempts come again, ends are noted.
    mutating func tickOperations(_ now: Moment, _ output: inout Output) {
        for run in operationsUnderWay {
            advance(run.info.id, now, &output)
            if let sight = operationSights[run.info.id], sight.isUnstored,
                now.uptime - sight.storedAt >= Limits.progressStoredEvery
            {
                store(run.info.id, now, &output)
            }
        }
    }

    mutating func advance(_ id: OperationID, _ now: Moment, _ output: inout Output) {
        guard var run = operations[id], !run.info.isOver else { return }
        if operationSights[id] == nil { operationSights[id] = OperationSight() }
        settleMoves(&run, now)
        var look = MovesLook()
        if run.info.state == .cancelling {
            skipWaiting(&run, "the operation was cancelled")
        } else {
            look = beginMoves(&run, now, &output)
        }
        keep(run)
        let toCancel = operationSights[id]?.toCancel ?? []
        operationSights[id]?.toCancel = []
        for name in toCancel.sorted() { cancelMove(of: name, now, &output) }
        for name in look.begun { reconcile(name, now, &output) }
        closeIfDone(id, look, now, &output)
    }

    func skipWaiting(_ run: inout OperationRecord, _ why: String) {
        for index in run.info.plan.moves.indices
        where run.info.plan.moves[index].state == .waiting {
            run.info.plan.moves[index].state = .skipped
            run.info.plan.moves[index].reason = run.info.plan.moves[index].reason ?? why
        }
    }

    /// Nothing is under way: either something can still be done, or this is the end.
    private mutating func closeIfDone(
        _ id: OperationID, _ look: MovesLook, _ now: Moment, _ output: inout Output
    ) {
        guard var run = operations[id], look.begun.isEmpty, !look.isHeld,
            !run.info.plan.moves.contains(where: { $0.state == .running })
        else { return }
        if run.info.state == .cancelling {
            return end(id, .cancelled, run.info.detail, now, &output)
        }
        if run.info.kind == .drain { return closeDrain(run, look, now, &output) }
        if let refused = look.refused {
            give(up: &run, refused)
            keep(run)
            return
        }
        guard !run.info.plan.moves.contains(where: \.isOpen) else { return }
        let undone = run.info.plan.undone
        end(id, undone == nil ? .succeeded : .incomplete, undone, now, &output)
    }

    /// The first move that waits is not possible: the cluster is not what it was when the plan was made.
    private func give(up run: inout OperationRecord, _ refused: (index: Int, why: String)) {
        run.info.plan.moves[refused.index].state =
            run.info.kind == .balance ? .skipped : .failed
        run.info.plan.moves[refused.index].reason = refused.why
    }

    mutating func end(
        _ id: OperationID, _ state: OperationInfo.State, _ detail: String?, _ now: Moment,
        _ output: inout Output
    ) {
        guard var run = operations[id] else { return }
        run.info.state = state
        run.info.detail = detail
        run.info.endedAtMs = now.wallMs
        operations[id] = run
        store(id, now, &output)
        operationSights[id] = nil
        output.tell(.operationEnded(operations[id]?.info ?? run.info))
        forgetOldOperations(&output)
    }

    private mutating func forgetOldOperations(_ output: inout Output) {
        let ended = operations.values.filter(\.info.isOver)
        for run in ended.sorted(by: OperationRecord.isOlder)
            .prefix(max(0, ended.count - Limits.operationsKept))
        {
            operations[run.info.id] = nil
            output.note(.operation(run.info.id))
        }
    }

    // MARK: Cancelling

    package mutating func cancelOperation(
        _ id: OperationID, _ now: Moment, _ output: inout Output
    ) throws(Problem) -> OperationInfo {
        let run = try operationRecord(id)
        guard !run.info.isOver else {
            throw Problem(.wrongState, "operation \(id) is over: \(run.info.state.rawValue)")
        }
        if run.info.kind == .drain, let host = run.info.host, var record = hosts[host] {
            record.wanted = .active
            save(record, &output)
        }
        cancel(id, "cancelled by request", now, &output)
        return try operation(id)
    }

    /// Nothing new begins; what is under way is ended where that is still possible.
    mutating func cancel(
        _ id: OperationID, _ why: String, _ now: Moment, _ output: inout Output
    ) {
        guard var run = operations[id], run.info.state == .running else { return }
        run.info.state = .cancelling
        run.info.detail = why
        operations[id] = run
        store(id, now, &output)
        cancelMoves(of: id, now, &output)
        advance(id, now, &output)
    }

    // MARK: One VM

    /// - Parameter request: without a host, the policy chooses, and chooses again when that one does not take the VM.
    package mutating func migrateVM(
        _ name: VMName, _ request: MigrateVM, by who: String, _ now: Moment,
        _ output: inout Output
    ) throws(Problem) -> OperationInfo {
        let vm = try vmRecord(name)
        guard operationSights.count < Limits.operationsUnderWayMax else {
            throw Problem(
                .tooMany, "\(operationSights.count) operations are under way: let some end first")
        }
        switch readiness(of: vm) {
        case .ready: break
        case .later(let why): throw Problem(.vmBusy, "VM \(name) cannot be moved now: \(why)")
        case .never(let why): throw Problem(.wrongState, "VM \(name) cannot be moved: \(why)")
        }
        guard let from = vm.place?.host, let row = scheduler.vm(vm.id) else {
            throw Problem(.wrongState, "VM \(name) runs nowhere")
        }
        let to = try destination(of: row, name, request.to)
        let prediction = predict(row, from: from, to: to)
        let move = MoveInfo(
            vm: name, vmID: vm.id, from: from, to: to, plannedFor: .request,
            why: request.to == nil
                ? "\(who) asked for a move; policy \(settings.policy) chose host \(to)"
                : "\(who) asked for it", wave: 0, predicted: prediction)
        let plan = PlanInfo(moves: [move], left: [], waves: 1, seconds: prediction.seconds)
        let id = begin(
            .migrate, plan, by: who, mayRedirect: request.to == nil, now, &output)
        advance(id, now, &output)
        return try operation(id)
    }

    private func destination(
        of row: VMIndex, _ name: VMName, _ wish: HostName?
    ) throws(Problem) -> HostName {
        guard let wish else {
            guard let best = bestDestination(of: row, except: []) else {
                throw Problem(
                    .noHostFits,
                    "no host can take VM \(name): \(scheduler.refusals(of: row, for: .migration))")
            }
            return best
        }
        guard let index = scheduler.host(named: wish.text) else {
            throw Problem(
                .hostUnknown,
                "the cluster has no host \(wish); it has \(hostNames.items.map(\.text).joined(separator: ", "))"
            )
        }
        if let refusal = scheduler.refusal(of: row, on: index, for: .migration) {
            throw Problem(.noHostFits, "host \(wish) cannot take VM \(name): \(refusal)")
        }
        return wish
    }
}

extension PlanInfo {
    /// What was not done, in words; nil when all was.
    var undone: String? {
        let undone =
            moves.filter { $0.state == .failed || $0.state == .skipped }
            .map { LeftBehind(vm: $0.vm, why: $0.reason ?? $0.state.rawValue) } + left
        return undone.isEmpty ? nil : Self.text(undone)
    }

    static func text(_ left: [LeftBehind]) -> String {
        let named = left.prefix(Limits.namesInDetailMax).map { "\($0.vm): \($0.why)" }
        let more = left.count - named.count
        return "\(left.count) \(left.count == 1 ? "VM" : "VMs") not moved: "
            + named.joined(separator: "; ") + (more > 0 ? "; and \(more) more" : "")
    }
}
