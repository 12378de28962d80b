// The controller's part when the other side never answers: who gets the VM, stored before anybody is told.
//
//   S reports released(e+1, to D) ─┐
//   D is known to be off ──────────┴▶ store (e+2, S, ruling open) ─stored▶ rule ─▶ S writes ruled(e+2)
//                                           ▲                        ▲              │
//                                           │                        └─ S reports ──┤ released still: told again
//   (epoch, owner), no ruling open ◀────────┴── S reports an epoch as late, or that D answered after all
//
// The store takes an entry only in place of the one that was read: of two controllers, one is too late and reads
// again. Nothing else survives a restart: reports come again, and so does the knowledge of who is off. A host that is
// only silent is not off: this machine never rules against one. And it must have been off after the release, so that
// what ran there is gone, and what it had read of GO too.

package import Model

/// The controller gives a VM to a host again that had released it.
package struct RulingOrder: Hashable, Sendable {
    package var vm: VMID
    package var epoch: Epoch
    package var host: HostName
    package var against: HostName
    /// The migration that `against` never answered for.
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

    /// What the host writes that is told of it; nil when its ledger does not say any more what was ruled upon.
    package func record(after ownership: Ownership?) -> LedgerRecord? {
        guard case .released(let released, against, migration) = ownership,
            released.next == epoch
        else { return nil }
        return .ruled(vm: vm, epoch: epoch, against: against, migration: migration)
    }
}

/// What the controller's store says of one VM.
package struct OwnershipEntry: Hashable, Sendable {
    package var epoch: Epoch
    package var host: HostName
    /// Stored, and not known to be in the host's ledger.
    package var ruling: RulingOrder?

    package init(epoch: Epoch, host: HostName, ruling: RulingOrder? = nil) {
        self.epoch = epoch
        self.host = host
        self.ruling = ruling
    }
}

/// The controller's machine of one VM.
package struct RulingMachine: Hashable, Sendable {
    package enum Event: Hashable, Sendable {
        /// What a host's ledger says, from its agent. Comes again and again.
        case reported(Ownership, by: HostName)
        /// The host is off now: nothing runs there. Comes again and again, too.
        case fenced(HostName)
        case returned(HostName)
        case stored
        /// The store kept, or may have kept, what it had: it was read again.
        case notStored(current: OwnershipEntry?)
    }

    package enum Action: Hashable, Sendable {
        /// Durable before `stored`, and only in place of what was read.
        case store(OwnershipEntry, replacing: OwnershipEntry?)
        case rule(RulingOrder)
    }

    private let vm: VMID
    private var entry: OwnershipEntry?
    private var storing: OwnershipEntry?
    private var release: Release?
    private var fenced: Set<HostName> = []

    /// A VM that a host cannot settle.
    private struct Release: Hashable, Sendable {
        var by: HostName
        var epoch: Epoch
        var to: HostName
        var migration: MigrationID
    }

    /// - Parameter entry: what the store says; all that a restart leaves.
    package init(vm: VMID, entry: OwnershipEntry?) {
        self.vm = vm
        self.entry = entry
    }

    package mutating func handle(_ event: Event) -> [Action] {
        switch event {
        case .reported(let ownership, let host): return take(ownership, by: host)
        case .fenced(let host):
            fenced.insert(host)
            return rule()
        case .returned(let host):
            fenced.remove(host)
            return []
        case .stored:
            guard let stored = storing else { return [] }
            (entry, storing) = (stored, nil)
            return stored.ruling.map { [.rule($0)] } ?? []
        case .notStored(let current):
            (entry, storing) = (current, nil)
            return []
        }
    }

    /// While the store writes nothing is decided: the report comes again.
    private mutating func take(_ ownership: Ownership, by host: HostName) -> [Action] {
        guard storing == nil else { return [] }
        note(ownership, by: host)
        if let ruling = entry?.ruling, ruling.host == host {
            return follow(ruling, ownership)
        }
        guard ownership.mayRun else { return rule() }
        guard entry.map({ ownership.epoch > $0.epoch }) ?? true else { return [] }
        return store(OwnershipEntry(epoch: ownership.epoch, host: host))
    }

    /// Who was off before the release was heard of may have come back and taken the VM since.
    private mutating func note(_ ownership: Ownership, by host: HostName) {
        guard case .released(let epoch, let to, let migration) = ownership else {
            if release?.by == host { release = nil }
            return
        }
        let heard = Release(by: host, epoch: epoch, to: to, migration: migration)
        if release != heard { fenced.remove(to) }
        release = heard
    }

    /// What came of a ruling, by its host's own word.
    private mutating func follow(_ ruling: RulingOrder, _ ownership: Ownership) -> [Action] {
        if ruling.record(after: ownership) != nil { return [.rule(ruling)] }
        switch ownership {
        case .handedOver(let epoch, let to, _):
            return store(OwnershipEntry(epoch: epoch, host: to))
        case .owned(let epoch, _), .ruled(let epoch, _, _):
            guard epoch >= ruling.epoch else { return [] }
            return store(OwnershipEntry(epoch: epoch, host: ruling.host))
        // It took the VM back, and has released it once more since.
        case .released(let epoch, _, _):
            guard epoch > ruling.epoch else { return [] }
            return store(OwnershipEntry(epoch: Epoch(epoch.number - 1), host: ruling.host))
        case .overruled, .incoming, .neverRan, .deleted: return []
        }
    }

    /// Rules when it is due: released, and the other host is off and is not known to have taken the VM.
    private mutating func rule() -> [Action] {
        guard storing == nil, entry?.ruling == nil, let release, fenced.contains(release.to),
            entry.map({ $0.epoch < release.epoch }) ?? true
        else { return [] }
        let ruling = RulingOrder(
            vm: vm, epoch: release.epoch.next, host: release.by, against: release.to,
            migration: release.migration)
        return store(OwnershipEntry(epoch: ruling.epoch, host: ruling.host, ruling: ruling))
    }

    private mutating func store(_ next: OwnershipEntry) -> [Action] {
        storing = next
        return [.store(next, replacing: entry)]
    }
}
