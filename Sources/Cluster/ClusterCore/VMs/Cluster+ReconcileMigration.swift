// A VM's migration, step by step: ordered, under way, over; and what follows when its source or its destination is off.
//
// A migration is over only when it is known which host has the VM: the destination says that it owns it, or the source
// that it does.

import API
import Model
import Placement

/// How a migration ended.
enum MigrationResult {
    /// The info is nil when the source could not be asked.
    case moved(MigrationInfo?)
    case failed(reason: String, MigrationInfo?)

    var info: MigrationInfo? {
        switch self {
        case .moved(let info), .failed(_, let info): info
        }
    }
}

extension Cluster {
    mutating func stepMigration(of vm: inout ClusterVMRecord, in context: inout Context) {
        guard let move = vm.move else { return }
        guard let place = vm.place else {
            let result = MigrationResult.failed(reason: "it runs nowhere", nil)
            return finishMigration(of: &vm, with: result, in: &context)
        }
        if place.host == move.to { return stepArrival(of: &vm, move: move, in: &context) }
        observations[vm.id]?.migration.recordReturn()
        if isHostFenced(named: move.from, leased: place.isLeased) {
            return stepSourceFencing(of: &vm, move: move, in: &context)
        }
        guard records.hosts[move.from]?.silence == nil else { return }
        let progress = observations[vm.id]?.migration ?? .unknown
        if let ended = progress.endedInfo {
            stepMigrationEnd(of: &vm, info: ended, in: &context)
        } else if let reason = progress.refusal {
            stepMigrationInDoubt(of: &vm, because: reason, in: &context)
        } else if observations[move.from]?.hasReported(migration: move.migration) ?? false {
            if move.isCancelled, !progress.isCancelSent {
                observations[vm.id]?.migration.markCancel(sent: true)
                sendOrder(.cancelMigration(move.migration), for: vm.id, to: move.from, in: &context)
            }
        } else {
            sendMigrationOrder(move, for: vm, in: &context)
        }
    }

    private mutating func sendMigrationOrder(
        _ move: MoveOrder, for vm: ClusterVMRecord, in context: inout Context
    ) {
        if move.isCancelled {
            // Perhaps it was never begun: the agent must say so.
            return sendOrder(.askMigration(move.migration), for: vm.id, to: move.from, in: &context)
        }
        let request = StartMigration(
            vm: vm.name, to: move.to, id: move.migration,
            peerAddress: records.hosts[move.to]?.description.peerAddress)
        sendOrder(.migrate(request), for: vm.id, to: move.from, in: &context)
    }

    /// The destination owns it; the source's report, where it can be had, has the figures.
    private mutating func stepArrival(
        of vm: inout ClusterVMRecord, move: MoveOrder, in context: inout Context
    ) {
        if hasCurrentHeartbeat(from: move.from),
            observations[vm.id]?.migration.recordArrival() ?? false
        {
            observations[vm.id]?.migration.markFiguresAsked()
            return sendOrder(.askMigration(move.migration), for: vm.id, to: move.from, in: &context)
        }
        let info = observations[vm.id]?.migration.endedInfo
        finishMigration(of: &vm, with: .moved(info), in: &context)
    }

    private mutating func stepMigrationEnd(
        of vm: inout ClusterVMRecord, info ended: MigrationInfo, in context: inout Context
    ) {
        switch ended.state {
        case .running: return
        case .succeeded:
            vm.recordSuccess()
            finishMigration(of: &vm, with: .moved(ended), in: &context)
        case .failed, .cancelled, .rehearsed:
            let reason = ended.failure?.message ?? "it was cancelled"
            stepMigrationInDoubt(of: &vm, because: reason, info: ended, in: &context)
        }
    }

    /// It came to nothing, says the source. Where it does not say that the VM runs on there, its ledger must have said
    /// since that the VM is its own: before that nobody knows where it will run, and were the source fenced now, a start
    /// elsewhere could be a second copy.
    private mutating func stepMigrationInDoubt(
        of vm: inout ClusterVMRecord, because reason: String, info ended: MigrationInfo? = nil,
        in context: inout Context
    ) {
        guard let move = vm.move, let place = vm.place else { return }
        let report = latestReport(of: vm.id, from: move.from)
        if let report, report.ownership == .released {
            return stepRelease(of: &vm, report: report, in: &context)
        }
        let result = MigrationResult.failed(reason: reason, ended)
        if ended?.leavesVMAtSource ?? false {
            return finishMigration(of: &vm, with: result, in: &context)
        }
        let heard = observations[move.from]?.heartbeatCount ?? 0
        let since = observations[vm.id]?.migration.recordDoubt(atHeartbeat: heard) ?? heard
        // One heartbeat may have been under way already.
        guard heard > since + 1 else { return }
        if report?.isOwned ?? false {
            finishMigration(of: &vm, with: result, in: &context)
        } else if report == nil {
            stepMissingVM(&vm, from: place, at: context.now.uptime)
            if observations[vm.id]?.isConsideredLost(at: context.now.uptime) ?? false {
                finishMigration(of: &vm, with: result, in: &context)
            }
        }
    }

    /// The source is off. The destination has the VM, or will never have it.
    private mutating func stepSourceFencing(
        of vm: inout ClusterVMRecord, move: MoveOrder, in context: inout Context
    ) {
        let result = MigrationResult.failed(reason: "host \(move.from) is fenced", nil)
        if isHostFenced(named: move.to, leased: vm.place?.isLeased ?? false) {
            finishMigration(of: &vm, with: result, in: &context)
            // Either host may have it; unless it starts elsewhere, the one that comes back with it keeps it.
            guard vm.policy.failurePolicy == .restart, vm.policy.desired == .running, !vm.isDeleting
            else {
                return
            }
            context.reportEvent(
                .vmRestarted(vm.name, on: move.from, reason: "its hosts are fenced"))
            return restartElsewhere(vm: &vm, leaving: [move.from, move.to])
        }
        commands.scheduleReconcile(of: vm.id)
        guard hasCurrentHeartbeat(from: move.to), let fencedAt = observations[move.from]?.fencedAt,
            let heardAt = observations[move.to]?.heardAt,
            heardAt > fencedAt + settings.silentAfter,
            !(latestReport(of: vm.id, from: move.to)?.mayRun ?? false)
        else { return }
        finishMigration(of: &vm, with: result, in: &context)
    }

    mutating func finishMigration(
        of vm: inout ClusterVMRecord, with result: MigrationResult, in context: inout Context
    ) {
        guard let move = vm.move else { return }
        vm.move = nil
        if case .moved = result {
            vm.lastMove = MovedFrom(host: move.from, atMs: context.now.wallMs)
            if vm.home == move.to { vm.home = nil }
        }
        if let info = result.info {
            context.reportEvent(.migrationEnded(info, predicted: move.predicted))
        }
        observations[vm.id]?.migration = .unknown
        // Operations look at the record: it must be as it is now.
        storeVMRecord(vm, in: &context)
        recordOutcome(of: move, vm: vm.id, result: result, in: &context)
        vm = records.vms[vm.name] ?? vm
        commands.scheduleReconcile(of: vm.id)
    }
}

extension ClusterVMRecord {
    /// The source says that its migration succeeded: the destination has the VM in the next epoch.
    fileprivate mutating func recordSuccess() {
        guard let move, let epoch = place?.epoch else { return }
        place?.host = move.to
        place?.epoch = epoch + 1
        takeover = nil
        raiseEpoch(to: epoch + 1)
    }
}

extension MigrationInfo {
    /// It ended, and its source knows for sure that the VM is still its own.
    fileprivate var leavesVMAtSource: Bool {
        switch state {
        case .cancelled, .rehearsed: true
        case .failed: failure?.vmIsRunning ?? false
        case .running, .succeeded: false
        }
    }
}
