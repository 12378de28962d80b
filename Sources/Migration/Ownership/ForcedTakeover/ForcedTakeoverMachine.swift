// The controller's decision about a forced takeover: the destination of a released VM does not answer, so the source
// takes the VM back. The decision is stored before the order is sent.
//
//   S reports released(e+1, to D) ─┐
//   D is known to be off ──────────┴▶ store (e+2, S, takeover open) ─stored▶ takeOver ─▶ S writes takenOver(e+2)
//                                           ▲                          ▲              │
//                                           │                          └─ S reports ──┤ still released: ordered again
//   (epoch, owner), no takeover open ◀──────┴── S reports an epoch as late, or that D answered after all
//
// The store accepts an entry only in place of the one that was read: of two controllers, one is too late and reads
// again. Nothing else survives a restart: reports, and the knowledge of which hosts are off, arrive again. A host that
// only does not answer is not off: the machine never decides a takeover against it. The host must have been off after
// the release, so that the VM that ran there is gone, and so is a GO that it had read.

package import Model

/// The controller orders a host to take back a VM that it had released.
package struct ForcedTakeoverOrder: Hashable, Sendable {
    package var vm: VMID
    package var epoch: Epoch
    package var host: HostName
    package var against: HostName
    /// The migration that `against` never confirmed.
    package var migration: MigrationID

    package init(
        vm: VMID, epoch: Epoch, host: HostName, against: HostName, migration: MigrationID
    ) {
        self.vm = vm
        self.epoch = epoch
        self.host = host
        self.against = against
        self.migration = migration
    }

    /// The record that the host writes on this order; nil if its ledger no longer has the state that the decision was
    /// based on.
    package func ledgerRecord(after ownership: Ownership?) -> LedgerRecord? {
        guard case .released(let released, against, migration) = ownership,
            released.next == epoch
        else { return nil }
        return .takenOver(vm: vm, epoch: epoch, against: against, migration: migration)
    }
}

/// The controller's stored entry for one VM.
package struct OwnershipEntry: Hashable, Sendable {
    package var epoch: Epoch
    package var host: HostName
    /// Stored, and not yet confirmed by the host's ledger.
    package var takeover: ForcedTakeoverOrder?

    package init(epoch: Epoch, host: HostName, takeover: ForcedTakeoverOrder? = nil) {
        self.epoch = epoch
        self.host = host
        self.takeover = takeover
    }
}

/// The controller's machine of one VM.
package struct ForcedTakeoverMachine: Hashable, Sendable {
    package enum Event: Hashable, Sendable {
        /// The state of a host's ledger, reported by its agent. Repeated.
        case reported(Ownership, by: HostName)
        /// The host is off now: nothing runs there. Repeated, too.
        case fenced(HostName)
        case returned(HostName)
        case stored
        /// The store kept, or may have kept, its previous entry: it was read again.
        case notStored(current: OwnershipEntry?)
    }

    package enum Action: Hashable, Sendable {
        /// Durable before `stored`, and only in place of the entry that was read.
        case store(OwnershipEntry, replacing: OwnershipEntry?)
        case takeOver(ForcedTakeoverOrder)
    }

    private let vm: VMID
    private var entry: OwnershipEntry?
    private var storing: OwnershipEntry?
    private var release: Release?
    private var fenced: Set<HostName> = []

    /// A VM whose source has released it and has no answer.
    private struct Release: Hashable, Sendable {
        var by: HostName
        var epoch: Epoch
        var to: HostName
        var migration: MigrationID
    }

    /// - Parameter entry: the stored entry, which is all that remains after a restart.
    package init(vm: VMID, entry: OwnershipEntry?) {
        self.vm = vm
        self.entry = entry
    }

    /// A host has released the VM and has no answer, or a takeover is not confirmed yet.
    package var isWaiting: Bool { release != nil || entry?.takeover != nil || storing != nil }

    package mutating func handleEvent(_ event: Event) -> [Action] {
        switch event {
        case .reported(let ownership, let host): return applyReport(ownership, from: host)
        case .fenced(let host):
            fenced.insert(host)
            return decideTakeover()
        case .returned(let host):
            fenced.remove(host)
            return []
        case .stored:
            guard let stored = storing else { return [] }
            (entry, storing) = (stored, nil)
            return stored.takeover.map { [.takeOver($0)] } ?? []
        case .notStored(let current):
            (entry, storing) = (current, nil)
            return []
        }
    }

    /// No decision is made while the store writes: the report is repeated.
    private mutating func applyReport(_ ownership: Ownership, from host: HostName) -> [Action] {
        guard storing == nil else { return [] }
        recordRelease(ownership, by: host)
        if let takeover = entry?.takeover, takeover.host == host {
            return followTakeover(takeover, after: ownership)
        }
        guard ownership.mayRun else { return decideTakeover() }
        guard entry.map({ ownership.epoch > $0.epoch }) ?? true else { return [] }
        return storeEntry(OwnershipEntry(epoch: ownership.epoch, host: host))
    }

    /// A host that was off before the release was reported may have come back and taken the VM since.
    private mutating func recordRelease(_ ownership: Ownership, by host: HostName) {
        guard case .released(let epoch, let to, let migration) = ownership else {
            if release?.by == host { release = nil }
            return
        }
        let heard = Release(by: host, epoch: epoch, to: to, migration: migration)
        if release != heard { fenced.remove(to) }
        release = heard
    }

    /// A report of the takeover's own host.
    private mutating func followTakeover(
        _ takeover: ForcedTakeoverOrder, after ownership: Ownership
    ) -> [Action] {
        if takeover.ledgerRecord(after: ownership) != nil { return [.takeOver(takeover)] }
        switch ownership {
        case .handedOver(let epoch, let to, _):
            return storeEntry(OwnershipEntry(epoch: epoch, host: to))
        case .owned(let epoch, _), .takenOver(let epoch, _, _):
            guard epoch >= takeover.epoch else { return [] }
            return storeEntry(OwnershipEntry(epoch: epoch, host: takeover.host))
        // It took the VM back, and has released it once more since.
        case .released(let epoch, _, _):
            guard epoch > takeover.epoch else { return [] }
            return storeEntry(OwnershipEntry(epoch: Epoch(epoch.number - 1), host: takeover.host))
        case .superseded, .incoming, .neverRan, .deleted: return []
        }
    }

    /// Decides a takeover when it is due: the VM is released, the other host is off and is not known to have taken the
    /// VM.
    private mutating func decideTakeover() -> [Action] {
        guard storing == nil, entry?.takeover == nil, let release, fenced.contains(release.to),
            entry.map({ $0.epoch < release.epoch }) ?? true
        else { return [] }
        let takeover = ForcedTakeoverOrder(
            vm: vm, epoch: release.epoch.next, host: release.by, against: release.to,
            migration: release.migration)
        return storeEntry(
            OwnershipEntry(epoch: takeover.epoch, host: takeover.host, takeover: takeover))
    }

    private mutating func storeEntry(_ next: OwnershipEntry) -> [Action] {
        storing = next
        return [.store(next, replacing: entry)]
    }
}
