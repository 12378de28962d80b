// A VM's move, step by step: ordered, under way, over; and what is to be done when its source or its destination is off.
//
// A move is over only when it is known who has the VM: the destination says that it owns it, or the source that it does.

import API
import Model
import Placement

extension Cluster {
    mutating func stepMove(
        _ vm: inout ClusterVMRecord, _ now: Moment, _ output: inout Output
    ) {
        guard let move = vm.move else { return }
        guard let place = vm.place else {
            return finishMove(&vm, move, .failed("it runs nowhere", nil), now, &output)
        }
        let ended = vmSights[vm.id]?.movesEnded[move.migration]
        if place.host == move.to { return arrived(&vm, move, ended, now, &output) }
        if isFenced(move.from, leased: place.isLeased) {
            return sourceFenced(&vm, move, place, now, &output)
        }
        guard hosts[move.from]?.silence == nil else { return }
        if let ended { return stepMoveEnded(&vm, move, ended, place, now, &output) }
        if let why = vmSights[vm.id]?.moveRefusal {
            return stepMoveInDoubt(&vm, move, place, why, nil, now, &output)
        }
        if hostSights[move.from]?.migrations[move.migration] != nil {
            if move.isCancelled, !(vmSights[vm.id]?.isCancelSent ?? false) {
                vmSights[vm.id]?.isCancelSent = true
                order(.cancelMigration(move.migration), for: vm.id, on: move.from, &output)
            }
            return
        }
        if move.isCancelled {
            // Perhaps it was never begun: the agent must say so.
            return order(.askMigration(move.migration), for: vm.id, on: move.from, &output)
        }
        let request = StartMigration(
            vm: vm.name, to: move.to, id: move.migration,
            peerAddress: hosts[move.to]?.registration.peerAddress)
        order(.migrate(request), for: vm.id, on: move.from, &output)
    }

    /// The destination owns it; the source's report, where it can be had, has the figures.
    private mutating func arrived(
        _ vm: inout ClusterVMRecord, _ move: MoveOrder, _ ended: MigrationInfo?, _ now: Moment,
        _ output: inout Output
    ) {
        if ended == nil, isHeard(move.from),
            !(vmSights[vm.id]?.isMoveAsked ?? false)
        {
            vmSights[vm.id]?.isMoveAsked = true
            return order(.askMigration(move.migration), for: vm.id, on: move.from, &output)
        }
        finishMove(&vm, move, .moved(ended), now, &output)
    }

    private mutating func stepMoveEnded(
        _ vm: inout ClusterVMRecord, _ move: MoveOrder, _ ended: MigrationInfo, _ place: VMPlace,
        _ now: Moment, _ output: inout Output
    ) {
        switch ended.state {
        case .running: return
        case .succeeded:
            vm.place?.host = move.to
            vm.place?.epoch = place.epoch + 1
            vm.raiseEpoch(to: place.epoch + 1)
            finishMove(&vm, move, .moved(ended), now, &output)
        case .failed, .cancelled, .rehearsed:
            stepMoveInDoubt(
                &vm, move, place, ended.failure?.message ?? "it was cancelled", ended, now, &output)
        }
    }

    /// It came to nothing, says the source. Where it does not say that the VM runs on there, its ledger must have said
    /// since that the VM is its own: before that nobody knows where it will run, and were the source fenced now, a start
    /// elsewhere could be a second copy.
    mutating func stepMoveInDoubt(
        _ vm: inout ClusterVMRecord, _ move: MoveOrder, _ place: VMPlace, _ why: String,
        _ ended: MigrationInfo?, _ now: Moment, _ output: inout Output
    ) {
        let report = vmSights[vm.id]?.reports[move.from]
        guard report?.ownership != .released else {
            return stepReleasedMove(&vm, move, place, now, &output)
        }
        if ended?.leavesVMAtSource ?? false {
            return finishMove(&vm, move, .failed(why, ended), now, &output)
        }
        let heard = hostSights[move.from]?.heartbeats ?? 0
        let since = min(vmSights[vm.id]?.doubtSince ?? heard, heard)
        vmSights[vm.id]?.doubtSince = since
        // One heartbeat may have been under way already.
        guard heard > since + 1 else { return }
        if report?.ownership == .owned || report?.ownership == .ruled {
            finishMove(&vm, move, .failed(why, ended), now, &output)
        } else if report == nil {
            stepMissing(&vm, place, now)
            if isLost(vm.id, now) { finishMove(&vm, move, .failed(why, ended), now, &output) }
        }
    }

    private mutating func stepReleasedMove(
        _ vm: inout ClusterVMRecord, _ move: MoveOrder, _ place: VMPlace, _ now: Moment,
        _ output: inout Output
    ) {
        guard let report = vmSights[vm.id]?.reports[move.from] else { return }
        stepReleased(&vm, report, place, now, &output)
    }

    /// The source is off. The destination has the VM, or will never have it.
    private mutating func sourceFenced(
        _ vm: inout ClusterVMRecord, _ move: MoveOrder, _ place: VMPlace, _ now: Moment,
        _ output: inout Output
    ) {
        let why = "host \(move.from) is fenced"
        if isFenced(move.to, leased: place.isLeased) {
            finishMove(&vm, move, .failed(why, nil), now, &output)
            // Either may have it; unless it starts elsewhere, whoever comes back with it keeps it.
            guard vm.policy.failurePolicy == .restart, vm.policy.desired == .running, !vm.isDeleting
            else {
                return
            }
            output.tell(.vmRestarted(vm.name, on: move.from, why: "its hosts are fenced"))
            return restartElsewhere(&vm, leaving: [move.from, move.to], now)
        }
        waiting.insert(vm.id)
        guard isHeard(move.to), let fencedAt = hostSights[move.from]?.fencedAt,
            let heardAt = hostSights[move.to]?.heardAt, heardAt > fencedAt + settings.silentAfter,
            !(vmSights[vm.id]?.reports[move.to]?.mayRun ?? false)
        else { return }
        finishMove(&vm, move, .failed(why, nil), now, &output)
    }

    mutating func finishMove(
        _ vm: inout ClusterVMRecord, _ move: MoveOrder, _ result: MoveResult, _ now: Moment,
        _ output: inout Output
    ) {
        vm.move = nil
        if case .moved = result {
            vm.lastMove = MovedFrom(host: move.from, atMs: now.wallMs)
            if vm.home == move.to { vm.home = nil }
        }
        if let info = result.info { output.tell(.migrationEnded(info, predicted: move.predicted)) }
        vmSights[vm.id]?.forgetMove()
        // Operations look at the record: it must be as it is now.
        save(vm, &output, now)
        moveEnded(vm.id, move, result, now, &output)
        vm = vms[vm.name] ?? vm
        waiting.insert(vm.id)
    }
}

/// How a move ended.
enum MoveResult {
    /// The info is nil when the source could not be asked.
    case moved(MigrationInfo?)
    case failed(String, MigrationInfo?)

    var info: MigrationInfo? {
        switch self {
        case .moved(let info), .failed(_, let info): info
        }
    }
}

extension VMSight {
    mutating func forgetMove() {
        movesEnded = [:]
        isMoveAsked = false
        isCancelSent = false
        isMoveFresh = false
        moveRefusal = nil
        doubtSince = nil
        arrivedSince = nil
        releasedSince = nil
    }
}

extension VMReport {
    /// It runs there, or may yet.
    var mayRun: Bool {
        switch ownership {
        case .owned, .ruled, .incoming, .released, .unknown: true
        case .neverRan, .handedOver, .deleted, .overruled: false
        }
    }
}

extension MigrationInfo {
    /// It ended, and its source knows for sure that the VM is still its own.
    var leavesVMAtSource: Bool {
        switch state {
        case .cancelled, .rehearsed: true
        case .failed: failure?.vmIsRunning ?? false
        case .running, .succeeded: false
        }
    }
}
