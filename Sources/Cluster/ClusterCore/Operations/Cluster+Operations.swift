// Operations: how they begin, continue, end and are kept. What their moves do is in Cluster+Moves.
//
//   running ──▶ succeeded | incomplete
//      └──▶ cancelling ──▶ cancelled
//
// A begin and an end are stored at once. Progress in between is stored at most once a second: the migrations under way
// stand in the VMs' records, so that a new controller loses at most a second's figures.

package import API
package import Model
import Placement

extension Cluster {
    // MARK: Looking

    package func operation(withID id: OperationID) throws(Problem) -> OperationInfo {
        operationInfo(for: try operationRecord(withID: id))
    }

    private func operationRecord(withID id: OperationID) throws(Problem) -> OperationRecord {
        guard let operation = records.operations[id] else {
            throw Problem(.operationNotFound, detail: "the cluster knows no operation \(id)")
        }
        return operation
    }

    /// The newest first.
    package func listOperations(
        after: OperationID?, limit: Int, inState state: OperationInfo.State? = nil
    ) -> Page<OperationInfo> {
        var all = records.operations.newestFirst
        if let after {
            guard let last = records.operations[after] else { return Page(items: []) }
            all.removeAll { !OperationRecord.isOlderOperation($0, than: last) }
        }
        let found = all.lazy.filter { state == nil || $0.state == state }
        let items = Array(found.prefix(limit + 1)).map { operationInfo(for: $0) }
        return items.count > limit
            ? Page(items: Array(items.dropLast()), next: items[limit - 1].id.description)
            : Page(items: items)
    }

    // MARK: Beginning

    /// What an operation is, before it begins.
    struct OperationRequest {
        var kind: OperationKind
        var host: HostName?
        var plan: PlanRecord
        var requestedBy: String
        var parallel: Int?
        var mayRedirect = false
    }

    /// Stores an operation and begins its first moves.
    mutating func beginOperation(
        for request: OperationRequest, in context: inout Context
    ) throws(Problem) -> OperationInfo {
        let id = createOperation(for: request, in: &context)
        advanceOperation(withID: id, in: &context)
        return try operation(withID: id)
    }

    mutating func createOperation(
        for request: OperationRequest, in context: inout Context
    ) -> OperationID {
        var run = OperationRecord(
            id: newIdentifier(), kind: request.kind, host: request.host,
            startedAtMs: context.now.wallMs, startedBy: request.requestedBy, plan: request.plan)
        run.parallel = request.parallel
        run.mayRedirect = request.mayRedirect
        records.operations.replaceRecord(run)
        progress[run.id] = OperationProgress()
        storeOperation(withID: run.id, in: &context)
        return run.id
    }

    /// Keeps what is known of an operation now; it is stored with the next progress.
    mutating func updateOperation(_ run: OperationRecord) {
        guard records.operations[run.id] != run else { return }
        records.operations.replaceRecord(run)
        progress[run.id]?.markChanged()
    }

    private mutating func storeOperation(withID id: OperationID, in context: inout Context) {
        records.operations.storeRecord(withID: id, in: &context)
        progress[id]?.markStored(at: context.now.uptime)
    }

    // MARK: Continuing

    /// Operations continue: moves begin, attempts are made again, ends are recorded.
    mutating func advanceOperations(in context: inout Context) {
        for run in records.operations.underWay {
            advanceOperation(withID: run.id, in: &context)
            if progress[run.id]?.isStoreDue(at: context.now.uptime) ?? false {
                storeOperation(withID: run.id, in: &context)
            }
        }
    }

    mutating func advanceOperation(withID id: OperationID, in context: inout Context) {
        guard var run = records.operations[id], !run.isOver else { return }
        if progress[id] == nil { progress[id] = OperationProgress() }
        closeOvertakenMoves(of: &run, at: context.now.uptime)
        var look = MoveStartResult()
        if run.state == .cancelling {
            skipWaitingMoves(of: &run, because: "the operation was cancelled")
        } else {
            look = beginMoves(of: &run, in: &context)
        }
        updateOperation(run)
        for name in progress[id]?.removeCancellations() ?? [] {
            cancelMigration(of: name, in: &context)
        }
        for name in look.begun { reconcileVM(named: name, in: &context) }
        closeOperationIfDone(withID: id, after: look, in: &context)
    }

    func skipWaitingMoves(of run: inout OperationRecord, because reason: String) {
        for index in run.plan.moves.indices {
            let move = run.plan.moves[index]
            guard move.isOpen, !isMoveUnderWay(move, of: run) else { continue }
            run.plan.moves[index].closeUnmoved(as: .skipped, because: move.reason ?? reason)
        }
    }

    /// Nothing is under way: either something can still be done, or this is the end.
    private mutating func closeOperationIfDone(
        withID id: OperationID, after look: MoveStartResult, in context: inout Context
    ) {
        guard var run = records.operations[id], look.begun.isEmpty, !look.isHeld,
            !run.plan.moves.contains(where: { isMoveUnderWay($0, of: run) })
        else { return }
        if run.state == .cancelling {
            return endOperation(withID: id, as: .cancelled, detail: run.detail, in: &context)
        }
        if run.kind == .drain { return closeDrain(for: run, after: look, in: &context) }
        if let refused = look.refused {
            // The cluster is not what it was when the plan was made.
            run.plan.moves[refused.index].closeUnmoved(
                as: run.kind == .balance ? .skipped : .failed, because: refused.reason)
            return updateOperation(run)
        }
        guard !run.plan.moves.contains(where: \.isOpen) else { return }
        let undone = run.plan.undoneText
        endOperation(
            withID: id, as: undone == nil ? .succeeded : .incomplete, detail: undone, in: &context)
    }

    mutating func endOperation(
        withID id: OperationID, as state: OperationState, detail: String?, in context: inout Context
    ) {
        guard var run = records.operations[id] else { return }
        run.state = state
        run.detail = detail
        run.endedAtMs = context.now.wallMs
        records.operations.replaceRecord(run)
        storeOperation(withID: id, in: &context)
        progress[id] = nil
        if let ended = records.operations[id] {
            context.reportEvent(.operationEnded(operationInfo(for: ended)))
        }
        records.operations.removeOldEnded(keeping: Limits.operationsKept, in: &context)
    }

    // MARK: Cancelling

    package mutating func cancelOperation(
        withID id: OperationID, in context: inout Context
    ) throws(Problem) -> OperationInfo {
        let run = try operationRecord(withID: id)
        guard !run.isOver else {
            throw Problem(.wrongState, detail: "operation \(id) is over: \(run.state.rawValue)")
        }
        if run.kind == .drain, let name = run.host, var host = records.hosts[name] {
            host.wanted = .active
            storeHostRecord(host, in: &context)
        }
        beginCancellation(of: id, because: "cancelled by request", in: &context)
        return try operation(withID: id)
    }

    /// Nothing new begins; what is under way is ended where that is still possible.
    mutating func beginCancellation(
        of id: OperationID, because reason: String, in context: inout Context
    ) {
        guard var run = records.operations[id], run.state == .running else { return }
        run.state = .cancelling
        run.detail = reason
        records.operations.replaceRecord(run)
        storeOperation(withID: id, in: &context)
        cancelMigrations(of: id, in: &context)
        advanceOperation(withID: id, in: &context)
    }

    // MARK: One VM

    /// - Parameter request: without a host, the policy chooses, and chooses again when that one does not take the VM.
    package mutating func migrateVM(
        named name: VMName, as request: MigrateVM, requestedBy who: String,
        in context: inout Context
    ) throws(Problem) -> OperationInfo {
        let vm = try vmRecord(named: name)
        guard progress.count < Limits.operationsUnderWayMax else {
            throw Problem(
                .tooMany, detail: "\(progress.count) operations are under way: let some end first")
        }
        switch readiness(of: vm) {
        case .ready: break
        case .later(let reason):
            throw Problem(.vmBusy, detail: "VM \(name) cannot be moved now: \(reason)")
        case .never(let reason):
            throw Problem(.wrongState, detail: "VM \(name) cannot be moved: \(reason)")
        }
        guard let from = vm.place?.host, let row = scheduling.state.indexOfVM(withID: vm.id) else {
            throw Problem(.wrongState, detail: "VM \(name) runs nowhere")
        }
        let to = try chooseDestination(of: row, named: name, preferring: request.to)
        let move = MoveRecord(
            vm: name, vmID: vm.id, from: from, to: to, plannedFor: .request,
            why: request.to == nil
                ? "\(who) asked for a move; policy \(settings.policy) chose host \(to)"
                : "\(who) asked for it", wave: 0,
            predicted: predictMove(of: row, from: from, to: to))
        let plan = PlanRecord(moves: [move], left: [], waves: 1, seconds: move.predicted.seconds)
        return try beginOperation(
            for: OperationRequest(
                kind: .migrate, plan: plan, requestedBy: who, mayRedirect: request.to == nil),
            in: &context)
    }

    private func chooseDestination(
        of row: VMIndex, named name: VMName, preferring wish: HostName?
    ) throws(Problem) -> HostName {
        let state = scheduling.state
        guard let wish else {
            guard let best = bestDestination(of: row, except: []) else {
                throw Problem(
                    .noHostFits,
                    detail:
                        "no host can take VM \(name): \(state.refusalSummary(of: row, for: .migration))"
                )
            }
            return best
        }
        guard let index = state.indexOfHost(named: wish.text) else {
            throw Problem(
                .hostUnknown, detail: "the cluster has no host \(wish); it has \(hostNamesText)")
        }
        if let refusal = state.refusalReason(of: row, on: index, for: .migration) {
            throw Problem(.noHostFits, detail: "host \(wish) cannot take VM \(name): \(refusal)")
        }
        return wish
    }
}

extension PlanRecord {
    /// What was not done; nil when all was.
    var undoneText: String? {
        let undone =
            moves.filter { $0.outcome == .failed || $0.outcome == .skipped }
            .map { UnmovedVM(vm: $0.vm, why: $0.reason ?? $0.outcome.rawValue) } + left
        return undone.isEmpty ? nil : Self.summaryText(ofUnmoved: undone)
    }

    static func summaryText(ofUnmoved left: [UnmovedVM]) -> String {
        let named = left.prefix(Limits.namesInDetailMax).map { "\($0.vm): \($0.why)" }
        let more = left.count - named.count
        return "\(left.count) \(left.count == 1 ? "VM" : "VMs") not moved: "
            + named.joined(separator: "; ") + (more > 0 ? "; and \(more) more" : "")
    }
}
