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
    mutating func restartElsewhere(
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
        guard vm.policy.desired == .running else { return }
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
        let isLeased = vm.spec.isLeased
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
            if vm.policy.failurePolicy == .restart, vm.policy.desired == .running,
                !isLost(vm.id, now)
            {
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
        if vm.policy.desired == .stopped {
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
        guard vm.policy.desired == .running, report.activity == nil else { return }
        let why = report.exit?.detail ?? "it ended"
        if !vm.bootWanted {
            vm.failure = why
            guard vm.policy.failurePolicy == .restart, report.exit?.isFailure ?? true else {
                return
            }
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
    func isLost(_ vm: VMID, _ now: Moment) -> Bool {
        vmSights[vm]?.missingSince.map { now.uptime - $0 > Limits.missingAfter } ?? false
    }

    mutating func stepMissing(
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
    mutating func stepReleased(
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

    func createRequest(epoch: UInt64) -> CreateVM { CreateVM(spec, id: id, epoch: epoch) }
}
