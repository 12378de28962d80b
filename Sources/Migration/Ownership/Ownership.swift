// The state of one VM in a host's ledger: the last relevant record, without the VM's ID.

package import Model

/// The ownership of a VM on one host. Only `owned` and `takenOver` let the host run it.
package enum Ownership: Hashable, Sendable {
    case owned(Epoch, migration: MigrationID?)
    /// Unresolved: the VM runs on no host until this host has an answer from `to`.
    case released(Epoch, to: HostName, migration: MigrationID)
    case handedOver(Epoch, to: HostName, migration: MigrationID)
    /// Owned by a forced takeover that `against` has not confirmed yet.
    case takenOver(Epoch, against: HostName, migration: MigrationID)
    case superseded(Epoch, by: HostName)
    case incoming(Epoch, from: HostName, migration: MigrationID)
    case neverRan(Epoch, migration: MigrationID)
    case deleted(Epoch)

    package init(_ record: LedgerRecord) {
        self =
            switch record {
            case .owned(_, let epoch, let migration): .owned(epoch, migration: migration)
            case .released(_, let epoch, let to, let migration):
                .released(epoch, to: to, migration: migration)
            case .handedOver(_, let epoch, let to, let migration):
                .handedOver(epoch, to: to, migration: migration)
            case .takenOver(_, let epoch, let against, let migration):
                .takenOver(epoch, against: against, migration: migration)
            case .superseded(_, let epoch, let by): .superseded(epoch, by: by)
            case .incoming(_, let epoch, let from, let migration):
                .incoming(epoch, from: from, migration: migration)
            case .neverRan(_, let epoch, let migration): .neverRan(epoch, migration: migration)
            case .deleted(_, let epoch): .deleted(epoch)
            }
    }

    package var epoch: Epoch {
        switch self {
        case .owned(let epoch, _), .released(let epoch, _, _), .handedOver(let epoch, _, _),
            .takenOver(let epoch, _, _), .superseded(let epoch, _), .incoming(let epoch, _, _),
            .neverRan(let epoch, _), .deleted(let epoch):
            epoch
        }
    }

    /// This host may run the VM.
    package var mayRun: Bool {
        switch self {
        case .owned, .takenOver: true
        case .released, .handedOver, .superseded, .incoming, .neverRan, .deleted: false
        }
    }

    /// The controller may give the VM to this host again, in this epoch: its earlier ownership here has ended.
    package func canBeginAgain(in epoch: Epoch) -> Bool {
        switch self {
        case .handedOver, .superseded, .neverRan, .deleted: epoch > self.epoch
        case .owned, .released, .takenOver, .incoming: false
        }
    }

    /// A guest that this migration brought may still become owned here: no later record of the VM contradicts it.
    package func isUndecided(after migration: MigrationID) -> Bool {
        if case .incoming(_, _, migration) = self { true } else { false }
    }
}
