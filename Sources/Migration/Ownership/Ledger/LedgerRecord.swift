// The durable records of a host about which host may run a VM. They ensure that a VM always has exactly one owner.
//
// `epoch` is always the epoch that the record is about: for a migration from epoch e that is e+1 on both sides,
// and e+2 when the source takes the VM back after the destination confirmed that it never ran.

package import Model

/// One record of a host's ledger.
package enum LedgerRecord: Hashable, Sendable {
    /// This host, and no other, may run the VM in this epoch. `migration` is set if the VM came from another host.
    case owned(vm: VMID, epoch: Epoch, migration: MigrationID?)
    /// This host may no longer run the VM: `to` may, in this epoch. Written before GO is sent.
    case released(vm: VMID, epoch: Epoch, to: HostName, migration: MigrationID)
    /// `to` confirmed that it owns the VM in this epoch: the handover is complete and nothing is retained here.
    case handedOver(vm: VMID, epoch: Epoch, to: HostName, migration: MigrationID)
    /// By a forced takeover this host owns the VM again in this epoch, without confirmation from `against`, to which it
    /// was released and which does not answer. This host must send `against` a notice.
    case takenOver(vm: VMID, epoch: Epoch, against: HostName, migration: MigrationID)
    /// By a forced takeover `by` owns the VM in this epoch: this host runs it in no earlier one.
    case superseded(vm: VMID, epoch: Epoch, by: HostName)
    /// Memory of the VM arrives from `from`; the VM does not run here.
    case incoming(vm: VMID, epoch: Epoch, from: HostName, migration: MigrationID)
    /// The VM never ran here in this epoch, and never will.
    case neverRan(vm: VMID, epoch: Epoch, migration: MigrationID)
    /// The VM was deleted here.
    case deleted(vm: VMID, epoch: Epoch)

    package var vm: VMID {
        switch self {
        case .owned(let vm, _, _), .released(let vm, _, _, _), .handedOver(let vm, _, _, _),
            .takenOver(let vm, _, _, _), .superseded(let vm, _, _), .incoming(let vm, _, _, _),
            .neverRan(let vm, _, _), .deleted(let vm, _):
            vm
        }
    }
}

extension LedgerRecord {
    /// The records to write, in this order, when the controller gives a VM to this host: a new VM, or one whose
    /// ownership here ended in an earlier epoch. `deleted` is written first in that case, because only a deleted VM can
    /// be owned again. A query that arrives between the two records is answered that the earlier epoch was taken, as it
    /// would be after the second record.
    package static func beginning(
        of vm: VMID, in epoch: Epoch, after current: Ownership?
    ) -> [LedgerRecord] {
        let owned = LedgerRecord.owned(vm: vm, epoch: epoch, migration: nil)
        return switch current {
        case .handedOver(let last, _, _), .superseded(let last, _), .neverRan(let last, _):
            [.deleted(vm: vm, epoch: last), owned]
        case nil, .owned, .released, .takenOver, .incoming, .deleted: [owned]
        }
    }

    /// The record that gives a VM this ownership.
    package init(vm: VMID, establishing ownership: Ownership) {
        self =
            switch ownership {
            case .owned(let epoch, let migration):
                .owned(vm: vm, epoch: epoch, migration: migration)
            case .released(let epoch, let to, let migration):
                .released(vm: vm, epoch: epoch, to: to, migration: migration)
            case .handedOver(let epoch, let to, let migration):
                .handedOver(vm: vm, epoch: epoch, to: to, migration: migration)
            case .takenOver(let epoch, let against, let migration):
                .takenOver(vm: vm, epoch: epoch, against: against, migration: migration)
            case .superseded(let epoch, let by): .superseded(vm: vm, epoch: epoch, by: by)
            case .incoming(let epoch, let from, let migration):
                .incoming(vm: vm, epoch: epoch, from: from, migration: migration)
            case .neverRan(let epoch, let migration):
                .neverRan(vm: vm, epoch: epoch, migration: migration)
            case .deleted(let epoch): .deleted(vm: vm, epoch: epoch)
            }
    }
}
