// What a host's ledger says of one VM: the last record that counts, without the VM's id.

package import Model

/// Where a VM stands on one host. Only `owned` lets the host run it.
package enum Ownership: Hashable, Sendable {
    case owned(Epoch, migration: MigrationID?)
    /// Unsettled: nobody runs the VM until this host has talked to `to`.
    case released(Epoch, to: HostName, migration: MigrationID)
    case handedOver(Epoch, to: HostName, migration: MigrationID)
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
            case .incoming(_, let epoch, let from, let migration):
                .incoming(epoch, from: from, migration: migration)
            case .neverRan(_, let epoch, let migration): .neverRan(epoch, migration: migration)
            case .deleted(_, let epoch): .deleted(epoch)
            }
    }

    package var epoch: Epoch {
        switch self {
        case .owned(let epoch, _), .released(let epoch, _, _), .handedOver(let epoch, _, _),
            .incoming(let epoch, _, _), .neverRan(let epoch, _), .deleted(let epoch):
            epoch
        }
    }

    /// This host may run the VM.
    package var mayRun: Bool {
        if case .owned = self { true } else { false }
    }
}
