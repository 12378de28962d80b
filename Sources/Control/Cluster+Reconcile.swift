// Bringing what is nearer to what is wanted, one VM at a time, one command at a time.
//
// Each look at a VM does these in order: follow the ledgers (whoever reports a larger epoch owns it), clear away old
// copies, and then the one step that its record calls for. Every step is safe to be repeated: a controller that takes
// over looks at every VM once its host has been heard.

import API
import Model
import Placement

extension Cluster {
    mutating func reconcile(_ name: VMName, _ now: Moment, _ output: inout Output) {
        guard var vm = vms[name] else { return }
        followOwner(&vm)
        if vmSights[vm.id]?.command == nil {
            if isDue(vm.id, now) {
                step(&vm, now, &output)
            } else {
                waiting.insert(vm.id)
            }
        }
        guard vms[name] != nil else { return }
        save(vm, &output, now)
    }

    /// Whether a waiting VM may be looked at again.
    func isDue(_ vm: VMID, _ now: Moment) -> Bool {
        guard let sight = vmSights[vm], sight.command == nil, sight.retryAt <= now.uptime else {
            return false
        }
        return true
    }

    private mutating func step(
        _ vm: inout ClusterVMRecord, _ now: Moment, _ output: inout Output
    ) {
        if vm.move != nil {
            stepMove(&vm, now, &output)
        } else if vm.start != nil {
            stepStart(&vm, now, &output)
        } else if vm.isDeleting {
            stepDeleting(&vm, &output)
        } else if vm.place == nil {
            stepNowhere(&vm, now, &output)
        } else {
            stepPlaced(&vm, now, &output)
        }
        // A copy that its host will not remove now must not hold up the VM.
        if vmSights[vm.id]?.command == nil { clearAway(&vm, &output) }
        if vm.isDeleting, vms[vm.name] != nil, vm.isNowhere { remove(vm, &output) }
    }

    // MARK: Ownership

    /// The record follows whoever owns the VM in a later epoch than it knows.
    private func followOwner(_ vm: inout ClusterVMRecord) {
        guard let reports = vmSights[vm.id]?.reports else { return }
        for (host, report) in reports.sorted(by: { $0.value.epoch < $1.value.epoch })
        where report.ownership == .owned || report.ownership == .ruled {
            guard report.epoch > vm.epochFloor else {
                vm.retire(host, upTo: report.epoch)
                continue
            }
            vm.raiseEpoch(to: report.epoch)
            if let place = vm.place, report.epoch < place.epoch { continue }
            if let place = vm.place, report.epoch == place.epoch, host != place.host { continue }
            vm.place = VMPlace(host: host, epoch: report.epoch, isLeased: report.isLeased)
            guard let start = vm.start, start.epoch <= report.epoch else { continue }
            // The answer to the order was lost.
            vm.start = nil
            if start.host == host { vm.features = hosts[host]?.registration.cpuFeatures }
        }
    }

    /// Has one old copy removed, where there is one.
    private mutating func clearAway(_ vm: inout ClusterVMRecord, _ output: inout Output) {
        for copy in vm.retired where isHeard(copy.host) {
            let report = vmSights[vm.id]?.reports[copy.host]
            if let report, report.epoch <= copy.epoch {
                return order(.delete(report.name, vm.id), for: vm.id, on: copy.host, &output)
            }
            // It has said what it has, and this is not among it.
            vm.retired.removeAll { $0 == copy }
        }
    }

    /// A move that nobody has heard of yet takes one epoch at its destination, and two when it breaks in the handover
    /// and the source takes the VM back.
    private static let epochsOfOneMove: UInt64 = 2

    /// Nothing of it runs any more where it was: it may start elsewhere, in an epoch that no order has named and no
    /// ledger can have reached.
    private mutating func restartElsewhere(
        _ vm: inout ClusterVMRecord, leaving hosts: [HostName], _ now: Moment
    ) {
        vm.raiseEpoch(to: vm.epochMax + Self.epochsOfOneMove)
        for host in hosts { vm.retire(host, upTo: vm.epochMax) }
        vm.epochFloor = vm.epochMax
        vm.place = nil
        vm.start = nil
        vm.restarts += 1
        vm.failure = "host \(hosts.map(\.text).joined(separator: " and ")) is fenced"
        waiting.insert(vm.id)
    }

    // MARK: Nowhere yet

    private mutating func stepNowhere(
        _ vm: inout ClusterVMRecord, _ now: Moment, _ output: inout Output
    ) {
        guard vm.desired == .running else { return }
        waiting.insert(vm.id)
        if let notBefore = vm.notBeforeMs, notBefore > now.wallMs { return }
        switch chooseHost(for: vm, now) {
        case .success(let host):
            vm.start = StartOrder(host: host, epoch: vm.epochMax + 1, sinceMs: now.wallMs)
            vm.raiseEpoch(to: vm.epochMax + 1)
            vm.notBeforeMs = nil
            output.tell(.placed(vm.name, on: host))
            // The scheduler must count it before it chooses for the next VM.
            save(vm, &output, now)
            vm = vms[vm.name] ?? vm
            stepStart(&vm, now, &output)
        case .failure(let refused):
            if vm.failure != refused.why { output.tell(.notPlaced(vm.name, why: refused.why)) }
            vm.failure = refused.why
            backOff(vm.id, now)
        }
    }

    private mutating func stepStart(
        _ vm: inout ClusterVMRecord, _ now: Moment, _ output: inout Output
    ) {
        guard let start = vm.start else { return }
        let isLeased = vm.failurePolicy == .restart
        if hosts[start.host] == nil || isFenced(start.host, leased: isLeased) {
            return restartElsewhere(&vm, leaving: [start.host], now)
        }
        guard hosts[start.host]?.silence == nil else { return }
        order(.create(vm.createRequest(epoch: start.epoch)), for: vm.id, on: start.host, &output)
    }

    // MARK: On a host

    private mutating func stepPlaced(
        _ vm: inout ClusterVMRecord, _ now: Moment, _ output: inout Output
    ) {
        guard let place = vm.place else { return }
        if isFenced(place.host, leased: place.isLeased) {
            if vm.failurePolicy == .restart, vm.desired == .running, !isLost(vm.id, now) {
                output.tell(.vmRestarted(vm.name, on: place.host, why: "its host is fenced"))
                restartElsewhere(&vm, leaving: [place.host], now)
            }
            return
        }
        guard isHeard(place.host) else { return }
        guard let report = vmSights[vm.id]?.reports[place.host] else {
            return stepMissing(&vm, place, now)
        }
        vmSights[vm.id]?.missingSince = nil
        if report.ownership == .released {
            return stepReleased(&vm, report, place, now, &output)
        }
        vmSights[vm.id]?.releasedSince = nil
        switch report.state {
        case .running, .paused: stepRunning(&vm, place, now, &output)
        case .stopped, .failed: stepEnded(&vm, report, place, now, &output)
        case .incoming: break
        }
    }

    private mutating func stepRunning(
        _ vm: inout ClusterVMRecord, _ place: VMPlace, _ now: Moment, _ output: inout Output
    ) {
        if vm.desired == .stopped {
            vmSights[vm.id]?.runsSince = nil
            return order(.perform(.stop, vm.name), for: vm.id, on: place.host, &output)
        }
        vm.bootWanted = false
        vm.failure = nil
        vm.notBeforeMs = nil
        let since = vmSights[vm.id]?.runsSince ?? now.uptime
        vmSights[vm.id]?.runsSince = since
        if vm.restarts > 0 {
            if now.uptime - since > Limits.restartForgivenAfter { vm.restarts = 0 }
        }
    }

    private mutating func stepEnded(
        _ vm: inout ClusterVMRecord, _ report: VMReport, _ place: VMPlace, _ now: Moment,
        _ output: inout Output
    ) {
        vmSights[vm.id]?.runsSince = nil
        guard vm.desired == .running, report.activity == nil else { return }
        let why = report.exit?.detail ?? "it ended"
        if !vm.bootWanted {
            vm.failure = why
            guard vm.failurePolicy == .restart, report.exit?.isFailure ?? true else { return }
            waiting.insert(vm.id)
            guard let notBefore = vm.notBeforeMs else {
                vm.notBeforeMs = now.wallMs + vm.restartBackOff.wholeMilliseconds
                vm.restarts += 1
                return
            }
            guard notBefore <= now.wallMs else { return }
            vm.notBeforeMs = nil
            vm.bootWanted = true
            output.tell(.vmRestarted(vm.name, on: place.host, why: why))
        }
        order(.perform(.start, vm.name), for: vm.id, on: place.host, &output)
    }

    /// Its host answers and does not have it. Perhaps it was moved by a word to the agents, to a host that is silent
    /// now: so it is never started anew.
    private func isLost(_ vm: VMID, _ now: Moment) -> Bool {
        vmSights[vm]?.missingSince.map { now.uptime - $0 > Limits.missingAfter } ?? false
    }

    private mutating func stepMissing(
        _ vm: inout ClusterVMRecord, _ place: VMPlace, _ now: Moment
    ) {
        let since = vmSights[vm.id]?.missingSince ?? now.uptime
        vmSights[vm.id]?.missingSince = since
        waiting.insert(vm.id)
        guard isLost(vm.id, now) else { return }
        vm.failure =
            "host \(place.host) does not have it any more, and no other host that answers does; delete it here when it is gone for good"
    }

    /// Handed over, and the other host's answer was lost. The two settle it by themselves once they can talk; when the
    /// other one is off, and went off after the release was heard of, this one may take it back.
    private mutating func stepReleased(
        _ vm: inout ClusterVMRecord, _ report: VMReport, _ place: VMPlace, _ now: Moment,
        _ output: inout Output
    ) {
        let since = vmSights[vm.id]?.releasedSince ?? now.uptime
        vmSights[vm.id]?.releasedSince = since
        guard let peer = report.peer else { return }
        vm.failure = "released to host \(peer), which has not said whether it runs there"
        guard isFenced(peer, leased: place.isLeased), let fencedAt = hostSights[peer]?.fencedAt,
            fencedAt > since
        else { return }
        // Stored before the host is told, as every order is: a release of a later epoch is another matter.
        vm.raiseEpoch(to: report.epoch + 1)
        order(
            .rule(
                RuleOnVM(ruling: .runHere, epoch: report.epoch, confirm: vm.name), vm.name),
            for: vm.id, on: place.host, &output)
    }

    // MARK: Going away

    private mutating func stepDeleting(_ vm: inout ClusterVMRecord, _ output: inout Output) {
        guard let place = vm.place else { return }
        if isFenced(place.host, leased: place.isLeased) {
            vm.raiseEpoch(to: vm.epochMax + Self.epochsOfOneMove)
            vm.retire(place.host, upTo: vm.epochMax)
            vm.epochFloor = vm.epochMax
            vm.place = nil
            return
        }
        guard isHeard(place.host) else { return }
        order(.delete(vm.name, vm.id), for: vm.id, on: place.host, &output)
    }

    // MARK: Moving

    private mutating func stepMove(
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
    private mutating func stepMoveInDoubt(
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
            guard vm.failurePolicy == .restart, vm.desired == .running, !vm.isDeleting else {
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

    private mutating func finishMove(
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

// MARK: - Answers to commands

extension Cluster {
    /// What an agent's answer says beside that it came.
    mutating func take(
        _ result: CommandResult, of command: AgentCommand, _ name: VMName, _ now: Moment,
        _ output: inout Output
    ) {
        guard var vm = vms[name] else { return }
        switch (command.order, result) {
        case (.create(let request), .vm(let info)):
            created(&vm, request, info, command.host)
            // Its agent ended between making it and letting it run; the order came again to the next one.
            if info.state == .paused, vm.desired == .running, vm.place?.host == command.host {
                order(.perform(.resume, name), for: vm.id, on: command.host, &output)
            }
        case (.create(let request), .refused(let problem)):
            notCreated(&vm, request, problem, command.host, now, &output)
        case (.delete(_, _), .done):
            deleted(&vm, command.host)
        case (.delete(_, _), .refused(let problem)) where problem.knownCode == .vmNotFound:
            deleted(&vm, command.host)
        case (.perform(.start, _), .vm), (.rule, .done):
            if case .perform = command.order {
                vm.features = hosts[command.host]?.registration.cpuFeatures
            }
            vm.bootWanted = false
            vm.failure = nil
            vmSights[vm.id]?.retryAt = now.uptime + settings.heartbeat
        case (.perform(.stop, _), .vm):
            vmSights[vm.id]?.retryAt = now.uptime + settings.heartbeat
        case (.migrate, .migration(let info)), (.askMigration, .migration(let info)),
            (.cancelMigration, .migration(let info)):
            note(info, on: command.host, of: vm, now)
        case (.migrate, .unanswered): vmSights[vm.id]?.isMoveFresh = false
        case (.cancelMigration, .unanswered): vmSights[vm.id]?.isCancelSent = false
        case (.migrate, .refused(let problem)):
            moveRefused(&vm, problem, command.host, now, &output)
        case (.askMigration, .refused(let problem)) where problem.knownCode == .migrationNotFound:
            moveUnknown(&vm, command.host, now, &output)
        default: break
        }
        guard vms[name] != nil else { return }
        save(vm, &output, now)
    }

    private mutating func created(
        _ vm: inout ClusterVMRecord, _ request: CreateVM, _ info: VMInfo, _ host: HostName
    ) {
        guard let start = vm.start, start.host == host, request.epoch == start.epoch else { return }
        vm.start = nil
        vm.place = VMPlace(host: host, epoch: info.epoch, isLeased: request.isLeased ?? false)
        vm.raiseEpoch(to: info.epoch)
        vm.failure = nil
        vm.bootWanted = false
        vm.features = hosts[host]?.registration.cpuFeatures
        vmSights[vm.id]?.refusedBy = [:]
    }

    private static let neverMade: Set<Problem.Code> = [
        .badRequest, .invalid, .nameTaken, .kernelUnusable, .notEnoughMemory, .vmmFailed,
    ]

    private mutating func notCreated(
        _ vm: inout ClusterVMRecord, _ request: CreateVM, _ problem: Problem, _ host: HostName,
        _ now: Moment, _ output: inout Output
    ) {
        // Only what says for sure that nothing was made, nor is being made, ends the order; else it is given again.
        guard vm.start?.host == host, request.epoch == vm.start?.epoch,
            let code = problem.knownCode, Self.neverMade.contains(code)
        else { return }
        vm.start = nil
        // Should it turn up there after all, it is an old copy.
        vm.epochFloor = max(vm.epochFloor, request.epoch ?? 0)
        vm.failure = "host \(host): \(problem.detail)"
        vmSights[vm.id]?.refusedBy[host] = now.uptime + Limits.refusalBackOffMax
        output.tell(.notPlaced(vm.name, why: vm.failure ?? ""))
    }

    private mutating func deleted(_ vm: inout ClusterVMRecord, _ host: HostName) {
        vmSights[vm.id]?.reports[host] = nil
        if vm.retired.contains(where: { $0.host == host }) {
            vm.retired.removeAll { $0.host == host }
        } else if vm.isDeleting, vm.place?.host == host {
            vm.place = nil
        }
    }

    private mutating func note(
        _ info: MigrationInfo, on host: HostName, of vm: ClusterVMRecord, _ now: Moment
    ) {
        if info.isOver {
            vmSights[vm.id]?.movesEnded[info.id] = info
        } else if vm.place?.host == info.destination {
            // The destination was faster to tell.
            askAgain(vm.id, now)
        } else {
            hostSights[host]?.migrations[info.id] = info
        }
    }

    private mutating func askAgain(_ vm: VMID, _ now: Moment) {
        let since = vmSights[vm]?.arrivedSince ?? now.uptime
        vmSights[vm]?.arrivedSince = since
        guard now.uptime - since < Limits.figuresAwaitedMax else { return }
        vmSights[vm]?.isMoveAsked = false
        backOff(vm, now)
    }

    /// The agent did not begin. While its ledger says that the VM is its own, that is the end of it; else the VM may be
    /// on its way already, by an order that an earlier controller gave.
    private mutating func moveRefused(
        _ vm: inout ClusterVMRecord, _ problem: Problem, _ host: HostName, _ now: Moment,
        _ output: inout Output
    ) {
        guard let move = vm.move, move.from == host, problem.knownCode != .staleTerm,
            vmSights[vm.id]?.reports[host]?.ownership == .owned
        else { return }
        let why = "host \(host): \(problem.detail)"
        if vmSights[vm.id]?.isMoveFresh ?? false {
            finishMove(&vm, move, .failed(why, nil), now, &output)
        } else {
            vmSights[vm.id]?.moveRefusal = why
        }
    }

    /// The agent has never heard of the migration.
    private mutating func moveUnknown(
        _ vm: inout ClusterVMRecord, _ host: HostName, _ now: Moment, _ output: inout Output
    ) {
        guard let move = vm.move, move.from == host else { return }
        if vm.place?.host == move.to {
            finishMove(&vm, move, .moved(nil), now, &output)
        } else if move.isCancelled {
            finishMove(&vm, move, .failed("it was cancelled", nil), now, &output)
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

extension VMExit {
    /// It did not end because somebody, the guest among them, wanted it to.
    var isFailure: Bool {
        switch reason {
        case .powerOff, .stopped, .migrated: false
        default: true
        }
    }
}

extension ClusterVMRecord {
    /// No host has it, or was told to make it.
    var isNowhere: Bool { place == nil && start == nil && move == nil && retired.isEmpty }

    /// What a host has of the VM up to an epoch is to go.
    mutating func retire(_ host: HostName, upTo epoch: UInt64) {
        let known = retired.filter { $0.host == host }.map(\.epoch).max() ?? 0
        guard epoch > known else { return }
        retired.removeAll { $0.host == host }
        retired.append(RetiredCopy(host: host, epoch: epoch))
    }

    /// Twice as long with each restart.
    var restartBackOff: Duration {
        let doublings = min(restarts, 20)
        return min(Limits.restartBackOffFirst * (1 << doublings), Limits.restartBackOffMax)
    }

    func createRequest(epoch: UInt64) -> CreateVM {
        CreateVM(
            name: name, memoryBytes: request.memoryBytes, vcpus: request.vcpus,
            hugePages: request.hugePages, downtimeLimitMs: request.downtimeLimitMs,
            commandLine: request.commandLine, kernelPath: request.kernelPath,
            initrdPath: request.initrdPath, id: id, epoch: epoch,
            isLeased: failurePolicy == .restart)
    }
}
