// Who owns a VM. The ledgers of the hosts decide; the record follows the machine that the explorer explores:
//
//   a report of an owner in a later epoch ──▶ the record's place
//   a release without an answer, and its destination fenced since ──▶ the record's takeover ──▶ RecoverVM to the source
//   the source's report of what came of it ──▶ the record's place, no takeover
//
// Not left to the machine, because it knows epochs and hosts only: copies of epochs up to the record's floor, which are
// old ones to be removed; a start order whose answer was lost; and the lease. A machine exists only while it waits for
// something: the report of the owner that the record names already decides nothing.

import API
import Model
import Ownership

extension Cluster {
    /// The record follows what hosts report.
    mutating func followOwner(of vm: inout ClusterVMRecord) {
        guard let observed = observations[vm.id] else { return }
        var follower = observed.takeover
        follower?.beginUpdate(from: vm.ownershipEntry)
        for (host, report) in observed.reportsByEpoch {
            guard report.epoch > vm.epochFloor else {
                if report.isOwned { vm.retireCopy(on: host, upTo: report.epoch) }
                continue
            }
            if report.isOwned { vm.raiseEpoch(to: report.epoch) }
            if vm.isRelevant(report: report, from: host) || follower != nil {
                var current = follower ?? TakeoverFollower(vm: vm.id, entry: vm.ownershipEntry)
                forwardReport(report, from: host, to: &current, updating: &vm)
                follower = current
            }
            if report.isOwned {
                vm.confirmPlace(on: host, by: report, features: cpuFeatures(of: host))
            }
        }
        if follower != nil || vm.takeover != nil {
            var current = follower ?? TakeoverFollower(vm: vm.id, entry: vm.ownershipEntry)
            forwardHandover(to: &current, updating: &vm)
            follower = current
        }
        let kept = follower.flatMap { $0.isNeeded ? $0 : nil }
        if observed.takeover != nil || kept != nil { observations[vm.id]?.takeover = kept }
    }

    private func cpuFeatures(of host: HostName) -> [String]? {
        records.hosts[host]?.description.cpuFeatures
    }

    private func forwardReport(
        _ report: VMReport, from host: HostName, to follower: inout TakeoverFollower,
        updating vm: inout ClusterVMRecord
    ) {
        guard let ownership = Ownership(report) else { return }
        var entries: [OwnershipEntry] = []
        if case .released(_, let peer, _) = ownership {
            let isLeased = vm.place?.isLeased ?? vm.spec.isLeased
            let fencedAt =
                isHostFenced(named: peer, leased: isLeased) ? observations[peer]?.fencedAt : nil
            entries += follower.observeFencing(of: peer, fencedAt: fencedAt)
        }
        entries += follower.observeOwnership(ownership, reportedBy: host)
        for entry in entries { vm.recordEntry(entry, isLeased: report.isLeased) }
    }

    /// An agent does not report a VM whose life on its host is over. While a takeover is open that means that the other
    /// host answered after all: it says itself that it owns the VM in the epoch of the release.
    private func forwardHandover(
        to follower: inout TakeoverFollower, updating vm: inout ClusterVMRecord
    ) {
        guard let takeover = vm.takeover, hasCurrentHeartbeat(from: takeover.host),
            latestReport(of: vm.id, from: takeover.host) == nil,
            let report = latestReport(of: vm.id, from: takeover.against), report.isOwned,
            report.epoch + 1 == takeover.epoch
        else { return }
        let handedOver = Ownership.handedOver(
            Epoch(report.epoch), to: takeover.against, migration: takeover.migration)
        for entry in follower.observeOwnership(handedOver, reportedBy: takeover.host) {
            vm.recordEntry(entry, isLeased: report.isLeased)
        }
    }

    /// Released, and the other host's answer was lost. The two hosts resolve it by themselves once they can talk; when
    /// the other one is off, and was fenced after the release was heard, this one takes the VM back.
    mutating func stepRelease(
        of vm: inout ClusterVMRecord, report: VMReport, in context: inout Context
    ) {
        guard let peer = report.peer else { return }
        vm.failure = "released to host \(peer), which has not said whether it runs there"
        guard let takeover = observations[vm.id]?.takeover?.order,
            takeover.epoch.number == report.epoch + 1
        else { return }
        let request = RecoverVM(action: .takeOver, epoch: report.epoch, confirm: vm.name)
        sendOrder(.recover(request, vm.name), for: vm.id, to: takeover.host, in: &context)
    }
}

extension ClusterVMRecord {
    /// What the machine takes for the store's entry of this VM.
    fileprivate var ownershipEntry: OwnershipEntry? {
        if let takeover {
            let order = ForcedTakeoverOrder(
                vm: id, epoch: Epoch(takeover.epoch), host: takeover.host,
                against: takeover.against, migration: takeover.migration)
            return OwnershipEntry(epoch: order.epoch, host: order.host, takeover: order)
        }
        return place.map { OwnershipEntry(epoch: Epoch($0.epoch), host: $0.host) }
    }

    /// Whether the machine may decide something by this report.
    fileprivate func isRelevant(report: VMReport, from host: HostName) -> Bool {
        if takeover != nil || report.ownership == .released { return true }
        guard report.isOwned else { return false }
        return place.map { report.epoch > $0.epoch } ?? true
    }

    fileprivate mutating func recordEntry(_ entry: OwnershipEntry, isLeased: Bool) {
        raiseEpoch(to: entry.epoch.number)
        guard let order = entry.takeover else {
            takeover = nil
            place = VMPlace(host: entry.host, epoch: entry.epoch.number, isLeased: isLeased)
            return
        }
        takeover = TakeoverRecord(
            host: order.host, epoch: order.epoch.number, against: order.against,
            migration: order.migration)
    }

    /// The host that the record names reports the VM as its own.
    fileprivate mutating func confirmPlace(
        on host: HostName, by report: VMReport, features known: [String]?
    ) {
        guard place?.host == host, place?.epoch == report.epoch else { return }
        place?.isLeased = report.isLeased
        guard let start, start.epoch <= report.epoch else { return }
        // The answer to the order was lost.
        self.start = nil
        if start.host == host { features = known }
    }
}

extension VMReport {
    /// Its host's ledger lets it run there.
    var isOwned: Bool { ownership == .owned || ownership == .takenOver }

    /// It runs there, or may yet.
    var mayRun: Bool {
        switch ownership {
        case .owned, .takenOver, .incoming, .released, .unknown: true
        case .neverRan, .handedOver, .deleted, .superseded: false
        }
    }
}

extension Ownership {
    /// What a report says of its host's ledger; nil when it does not say enough.
    fileprivate init?(_ report: VMReport) {
        let epoch = Epoch(report.epoch)
        switch (report.ownership, report.peer, report.migration) {
        case (.owned, _, let migration): self = .owned(epoch, migration: migration)
        case (.deleted, _, _): self = .deleted(epoch)
        case (.neverRan, _, let migration?): self = .neverRan(epoch, migration: migration)
        case (.superseded, let peer?, _): self = .superseded(epoch, by: peer)
        case (.released, let peer?, let migration?):
            self = .released(epoch, to: peer, migration: migration)
        case (.handedOver, let peer?, let migration?):
            self = .handedOver(epoch, to: peer, migration: migration)
        case (.takenOver, let peer?, let migration?):
            self = .takenOver(epoch, against: peer, migration: migration)
        case (.incoming, let peer?, let migration?):
            self = .incoming(epoch, from: peer, migration: migration)
        case (.unknown, _, _), (.neverRan, _, _), (.superseded, _, _), (.released, _, _),
            (.handedOver, _, _), (.takenOver, _, _), (.incoming, _, _):
            return nil
        }
    }
}
