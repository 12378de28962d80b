// Bringing each VM closer to what is wanted, one VM at a time, one command at a time.
//
// Each look at a VM does these in order: follow the ledgers (see Cluster+Ownership), take the one step that the record
// calls for, and remove old copies. Every step is safe to repeat: a controller that takes over looks at every VM once
// its host has been heard.

import API
import Model
import Placement

extension Cluster {
    mutating func reconcileVM(named name: VMName, in context: inout Context) {
        guard var vm = records.vms[name] else { return }
        followOwner(of: &vm)
        if commands.isCommandDue(for: vm.id, at: context.now.uptime) {
            runNextStep(for: &vm, in: &context)
        } else if !commands.hasCommand(for: vm.id) {
            commands.scheduleReconcile(of: vm.id)
        }
        guard records.vms[name] != nil else { return }
        storeVMRecord(vm, in: &context)
    }

    private mutating func runNextStep(for vm: inout ClusterVMRecord, in context: inout Context) {
        if vm.move != nil {
            stepMigration(of: &vm, in: &context)
        } else if vm.start != nil {
            stepStart(of: &vm, in: &context)
        } else if vm.isDeleting {
            stepDeletion(of: &vm, in: &context)
        } else if vm.place == nil {
            stepPlacement(of: &vm, in: &context)
        } else {
            stepPlacedVM(&vm, in: &context)
        }
        // A copy that its host will not remove now must not hold up the VM.
        if !commands.hasCommand(for: vm.id) { removeOldCopy(of: &vm, in: &context) }
        if vm.isDeleting, records.vms[vm.name] != nil, vm.isNowhere {
            removeVMRecord(vm, in: &context)
        }
    }

    /// Has one old copy removed, where there is one.
    private mutating func removeOldCopy(of vm: inout ClusterVMRecord, in context: inout Context) {
        for copy in vm.retired where hasCurrentHeartbeat(from: copy.host) {
            if let report = latestReport(of: vm.id, from: copy.host), report.epoch <= copy.epoch {
                return sendOrder(
                    .delete(report.name, vm.id), for: vm.id, to: copy.host, in: &context)
            }
            // The host has said what it has, and this is not among it.
            vm.retired.removeAll { $0 == copy }
        }
    }

    /// Nothing of the VM runs any more where it was: it may start elsewhere, in an epoch that no order has named and no
    /// ledger can have reached.
    mutating func restartElsewhere(vm: inout ClusterVMRecord, leaving hosts: [HostName]) {
        vm.leavePlace(upTo: vm.epochAfterUnknownMigration, retiring: hosts)
        vm.start = nil
        vm.restarts += 1
        vm.failure = "host \(hosts.map(\.text).joined(separator: " and ")) is fenced"
        commands.scheduleReconcile(of: vm.id)
    }

    // MARK: Nowhere yet

    private mutating func stepPlacement(of vm: inout ClusterVMRecord, in context: inout Context) {
        guard vm.policy.desired == .running else { return }
        let now = context.now
        commands.scheduleReconcile(of: vm.id)
        if let notBefore = vm.notBeforeMs, notBefore > now.wallMs { return }
        // An old copy has to go first.
        let excluded = (observations[vm.id]?.refusingHosts(at: now.uptime) ?? [])
            .union(vm.retired.map(\.host))
        switch scheduling.chooseHost(for: vm, except: excluded) {
        case .success(let host):
            vm.start = StartOrder(host: host, epoch: vm.epochMax + 1, sinceMs: now.wallMs)
            vm.raiseEpoch(to: vm.epochMax + 1)
            vm.notBeforeMs = nil
            context.reportEvent(.placed(vm.name, on: host))
            // The scheduler must count it before it chooses for the next VM.
            storeVMRecord(vm, in: &context)
            vm = records.vms[vm.name] ?? vm
            stepStart(of: &vm, in: &context)
        case .failure(let refused):
            if vm.failure != refused.reason {
                context.reportEvent(.notPlaced(vm.name, reason: refused.reason))
            }
            vm.failure = refused.reason
            commands.beginBackOff(of: vm.id, at: now.uptime)
        }
    }

    private mutating func stepStart(of vm: inout ClusterVMRecord, in context: inout Context) {
        guard let start = vm.start else { return }
        let isLeased = vm.spec.isLeased
        if records.hosts[start.host] == nil || isHostFenced(named: start.host, leased: isLeased) {
            return restartElsewhere(vm: &vm, leaving: [start.host])
        }
        guard records.hosts[start.host]?.silence == nil else { return }
        sendOrder(
            .create(vm.createRequest(epoch: start.epoch)), for: vm.id, to: start.host,
            in: &context)
    }

    // MARK: On a host

    private mutating func stepPlacedVM(_ vm: inout ClusterVMRecord, in context: inout Context) {
        guard let place = vm.place else { return }
        let now = context.now.uptime
        if isHostFenced(named: place.host, leased: place.isLeased) {
            if vm.policy.failurePolicy == .restart, vm.policy.desired == .running,
                !(observations[vm.id]?.isConsideredLost(at: now) ?? false)
            {
                context.reportEvent(
                    .vmRestarted(vm.name, on: place.host, reason: "its host is fenced"))
                restartElsewhere(vm: &vm, leaving: [place.host])
            }
            return
        }
        guard hasCurrentHeartbeat(from: place.host) else { return }
        guard let report = latestReport(of: vm.id, from: place.host) else {
            return stepMissingVM(&vm, from: place, at: now)
        }
        observations[vm.id]?.markFound()
        if report.ownership == .released {
            return stepRelease(of: &vm, report: report, in: &context)
        }
        switch report.state {
        case .running, .paused: stepRunningVM(&vm, on: place.host, in: &context)
        case .stopped, .failed: stepEndedVM(&vm, report: report, on: place.host, in: &context)
        case .incoming: break
        }
    }

    private mutating func stepRunningVM(
        _ vm: inout ClusterVMRecord, on host: HostName, in context: inout Context
    ) {
        if vm.policy.desired == .stopped {
            observations[vm.id]?.markNotRunning()
            return sendOrder(.perform(.stop, vm.name), for: vm.id, to: host, in: &context)
        }
        vm.bootWanted = false
        vm.failure = nil
        vm.notBeforeMs = nil
        let time = observations[vm.id]?.markRunning(at: context.now.uptime) ?? .zero
        if time > Limits.restartForgivenAfter { vm.restarts = 0 }
    }

    private mutating func stepEndedVM(
        _ vm: inout ClusterVMRecord, report: VMReport, on host: HostName,
        in context: inout Context
    ) {
        observations[vm.id]?.markNotRunning()
        guard vm.policy.desired == .running, report.activity == nil else { return }
        let reason = report.exit?.detail ?? "it ended"
        if !vm.bootWanted {
            vm.failure = reason
            guard vm.policy.failurePolicy == .restart, report.exit?.isFailure ?? true else {
                return
            }
            commands.scheduleReconcile(of: vm.id)
            guard vm.mayRestart(at: context.now.wallMs) else { return }
            context.reportEvent(.vmRestarted(vm.name, on: host, reason: reason))
        }
        sendOrder(.perform(.start, vm.name), for: vm.id, to: host, in: &context)
    }

    mutating func stepMissingVM(
        _ vm: inout ClusterVMRecord, from place: VMPlace, at now: Duration
    ) {
        observations[vm.id]?.markMissing(at: now)
        commands.scheduleReconcile(of: vm.id)
        guard observations[vm.id]?.isConsideredLost(at: now) ?? false else { return }
        vm.failure =
            "host \(place.host) does not have it any more, and no other host that answers does; delete it here when it is permanently lost"
    }

    // MARK: Going away

    private mutating func stepDeletion(of vm: inout ClusterVMRecord, in context: inout Context) {
        guard let place = vm.place else { return }
        if isHostFenced(named: place.host, leased: place.isLeased) {
            vm.leavePlace(upTo: vm.epochAfterUnknownMigration, retiring: [place.host])
            return
        }
        guard hasCurrentHeartbeat(from: place.host) else { return }
        sendOrder(.delete(vm.name, vm.id), for: vm.id, to: place.host, in: &context)
    }
}

extension VMExit {
    /// It did not end because its owner, its guest or the cluster wanted it to.
    var isFailure: Bool {
        switch reason {
        case .powerOff, .stopped, .migrated: false
        default: true
        }
    }
}

extension ClusterVMRecord {
    /// No host has it, or was ordered to make it.
    var isNowhere: Bool { place == nil && start == nil && move == nil && retired.isEmpty }

    /// Hosts whose reports about this VM count.
    var hostsConcerned: Set<HostName> {
        var hosts = Set(retired.map(\.host))
        if let place { hosts.insert(place.host) }
        if let start { hosts.insert(start.host) }
        if let move {
            hosts.insert(move.from)
            hosts.insert(move.to)
        }
        return hosts
    }

    mutating func raiseEpoch(to epoch: UInt64) { epochMax = max(epochMax, epoch) }

    /// A migration that no host has reported yet takes one epoch at its destination, and two when it breaks in the
    /// handover and the source takes the VM back.
    var epochAfterUnknownMigration: UInt64 { epochMax + 2 }

    /// What a host has of the VM up to an epoch is to go.
    mutating func retireCopy(on host: HostName, upTo epoch: UInt64) {
        let known = retired.filter { $0.host == host }.map(\.epoch).max() ?? 0
        guard epoch > known else { return }
        retired.removeAll { $0.host == host }
        retired.append(RetiredCopy(host: host, epoch: epoch))
    }

    /// The VM is nowhere: all that these hosts have of it up to the epoch is an old copy.
    mutating func leavePlace(upTo epoch: UInt64, retiring hosts: [HostName]) {
        raiseEpoch(to: epoch)
        for host in hosts { retireCopy(on: host, upTo: epochMax) }
        epochFloor = epochMax
        place = nil
        takeover = nil
    }

    /// Whether it is started again now: the first time it is told when, and later that this is over.
    mutating func mayRestart(at wallMs: Int64) -> Bool {
        guard let notBefore = notBeforeMs else {
            notBeforeMs = wallMs + restartBackOff.wholeMilliseconds
            restarts += 1
            return false
        }
        guard notBefore <= wallMs else { return false }
        notBeforeMs = nil
        bootWanted = true
        return true
    }

    /// Twice as long with each restart.
    private var restartBackOff: Duration {
        let doublings = min(restarts, 20)
        return min(Limits.restartBackOffFirst * (1 << doublings), Limits.restartBackOffMax)
    }

    func createRequest(epoch: UInt64) -> CreateVM { CreateVM(spec, id: id, epoch: epoch) }
}
