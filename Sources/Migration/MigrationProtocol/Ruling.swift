// When the other side never answers: somebody rules, and epochs keep the ruling safe.
//
//   this host                                  the other host
//   released(e+1)  ── operator, controller ─▶
//   ruled(e+2), runs                           (silent: off, cut off, its ledger lost)
//                  ── overrule(e+2) ────────▶  stands still for good, writes overruled(e+2)
//                  ◀─ answer(overruled) ─────
//   owned(e+2)
//
// What the ruling risks: a host that is silent but alive runs the VM at e+1 until the notice reaches it. So whoever
// rules must know that it is off. From `overruled` on it cannot run the VM in any epoch before the ruling's.

package import Model

/// "By a ruling I own this VM in this epoch: run it in no earlier one."
package struct Overruling: Hashable, Sendable {
    package var vm: VMID
    package var epoch: Epoch
    /// The one that was not answered. Who does not know it has nothing to overrule.
    package var migration: MigrationID

    package init(vm: VMID, epoch: Epoch, migration: MigrationID) {
        self.vm = vm
        self.epoch = epoch
        self.migration = migration
    }
}

/// What to do about a notice.
package enum OverrulingStep: Hashable, Sendable {
    case answer(OwnershipAnswer)
    /// What there is of the VM here must stand still, for good, before this is written; then it is the answer.
    case stopThenWrite(LedgerRecord)
    /// The VM went on from here to that epoch or a later one: people must look.
    case refuse(MigrationRefusal)
}

extension Overruling {
    /// What a host does about this notice from `ruler` when its ledger says `ownership`.
    package func step(_ ownership: Ownership?, from ruler: HostName) -> OverrulingStep {
        if case .overruled(let last, _)? = ownership, last >= epoch {
            return .answer(.overruled(last))
        }
        // Nothing that this ledger says of an earlier epoch lets the host run the VM: nothing to write.
        guard let ownership else { return .answer(.overruled(epoch)) }
        guard ownership.epoch < epoch else { return .refuse(conflict(ownership)) }
        switch ownership {
        case .owned(_, migration), .incoming(_, ruler, migration):
            return .stopThenWrite(.overruled(vm: vm, epoch: epoch, by: ruler))
        case .owned, .incoming:
            return .refuse(
                MigrationRefusal(
                    .notAllowed, "\(ruler) rules about a migration that brought no VM here"))
        case .neverRan, .handedOver, .deleted, .overruled: return .answer(.overruled(epoch))
        case .released, .ruled: return .refuse(conflict(ownership))
        }
    }

    private func conflict(_ ownership: Ownership) -> MigrationRefusal {
        MigrationRefusal(
            .vmExists, "the VM went on from here, so the ruling comes too late",
            details: ["ruled for epoch \(epoch)", "\(ownership)"])
    }
}

extension Ownership {
    /// The record by which a ruling gives a released VM back to this host; nil when there is nothing to rule.
    package func ruling(vm: VMID) -> LedgerRecord? {
        guard case .released(let epoch, let host, let migration) = self else { return nil }
        return .ruled(vm: vm, epoch: epoch.next, against: host, migration: migration)
    }

    /// The notice that this host owes after a ruling, and to whom.
    package func notice(vm: VMID) -> (notice: Overruling, to: HostName)? {
        guard case .ruled(let epoch, let host, let migration) = self else { return nil }
        return (Overruling(vm: vm, epoch: epoch, migration: migration), host)
    }

    /// The record that ends the doubt: the other host knows, or is gone for good.
    package func rulingSettled(vm: VMID) -> LedgerRecord? {
        guard case .ruled(let epoch, _, _) = self else { return nil }
        return .owned(vm: vm, epoch: epoch, migration: nil)
    }
}
