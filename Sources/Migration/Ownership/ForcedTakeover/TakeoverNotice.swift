// Forced takeover: when the other host does not answer, an operator or the controller gives the VM back to the host
// that released it. Epochs make this safe.
//
//   this host                                  the other host
//   released(e+1)  ── operator, controller ─▶
//   takenOver(e+2), runs                       (silent: off, cut off, its ledger lost)
//                  ── notice(e+2) ──────────▶  stops its copy permanently, writes superseded(e+2)
//                  ◀─ answer(superseded) ────
//   owned(e+2)
//
// The risk: a host that is unreachable but running executes the VM at e+1 until the notice reaches it. So a takeover
// requires the knowledge that the host is off. After `superseded` it cannot run the VM in any epoch before that of the
// takeover.

package import Model

/// "A forced takeover gave me this VM in this epoch: run it in no earlier one."
package struct TakeoverNotice: Hashable, Sendable {
    package var vm: VMID
    package var epoch: Epoch
    /// The migration that was not answered. A host without a record of it has no copy to supersede.
    package var migration: MigrationID

    package init(vm: VMID, epoch: Epoch, migration: MigrationID) {
        self.vm = vm
        self.epoch = epoch
        self.migration = migration
    }
}

/// What to do about a notice.
package enum TakeoverNoticeStep: Hashable, Sendable {
    case answer(OwnershipAnswer)
    /// The VM's copy here must be stopped permanently before this is written; then it is the answer.
    case stopThenWrite(LedgerRecord)
    /// The VM left this host in that epoch or a later one: an operator must decide.
    case refuse(OwnershipRefusal)
}

extension TakeoverNotice {
    /// What a host does about this notice from `owner` when its ledger says `ownership`.
    package func responseStep(for ownership: Ownership?, from owner: HostName) -> TakeoverNoticeStep
    {
        if case .superseded(let last, _)? = ownership, last >= epoch {
            return .answer(.superseded(last))
        }
        // No ledger record of an earlier epoch lets this host run the VM: nothing has to be written.
        guard let ownership else { return .answer(.superseded(epoch)) }
        guard ownership.epoch < epoch else { return .refuse(conflictRefusal(with: ownership)) }
        switch ownership {
        case .owned(_, migration), .incoming(_, owner, migration):
            return .stopThenWrite(.superseded(vm: vm, epoch: epoch, by: owner))
        case .owned, .incoming:
            return .refuse(
                OwnershipRefusal(
                    .notAllowed,
                    text: "\(owner) took over a VM whose migration did not reach this host"))
        case .neverRan, .handedOver, .deleted, .superseded: return .answer(.superseded(epoch))
        case .released, .takenOver: return .refuse(conflictRefusal(with: ownership))
        }
    }

    private func conflictRefusal(with ownership: Ownership) -> OwnershipRefusal {
        OwnershipRefusal(
            .vmExists, text: "the forced takeover is too late: the VM has left this host since",
            details: ["taken over for epoch \(epoch)", "\(ownership)"])
    }
}

extension Ownership {
    /// The record by which a forced takeover gives a released VM back to this host; nil when it is not released.
    package func takeoverRecord(for vm: VMID) -> LedgerRecord? {
        guard case .released(let epoch, let host, let migration) = self else { return nil }
        return .takenOver(vm: vm, epoch: epoch.next, against: host, migration: migration)
    }

    /// The notice that this host must send after a forced takeover, and its recipient.
    package func takeoverNotice(for vm: VMID) -> (notice: TakeoverNotice, to: HostName)? {
        guard case .takenOver(let epoch, let host, let migration) = self else { return nil }
        return (TakeoverNotice(vm: vm, epoch: epoch, migration: migration), host)
    }

    /// The record that confirms the ownership: the other host knows, or will never return.
    package func takeoverConfirmation(for vm: VMID) -> LedgerRecord? {
        guard case .takenOver(let epoch, _, _) = self else { return nil }
        return .owned(vm: vm, epoch: epoch, migration: nil)
    }
}
