// How a destination answers "did you take this VM?" from its ledger alone.

package import Model

/// "Did you take this VM in this epoch?"
package struct OwnershipQuestion: Hashable, Sendable {
    package var vm: VMID
    package var epoch: Epoch
    package var migration: MigrationID

    package init(vm: VMID, epoch: Epoch, migration: MigrationID) {
        self.vm = vm
        self.epoch = epoch
        self.migration = migration
    }
}

/// The answer of the destination's ledger. Silence is not an answer.
package enum OwnershipAnswer: Hashable, Sendable {
    /// The destination took the VM; this is the latest epoch that it knows.
    case taken(Epoch)
    /// It never ran the VM in that epoch and never will, as its ledger records.
    case neverRan(Epoch)
    /// It will run the VM in no epoch before this one.
    case superseded(Epoch)
}

/// What a host does with a query.
package enum OwnershipQuestionStep: Hashable, Sendable {
    case answer(OwnershipAnswer)
    /// The host writes this record durably; then the answer is `neverRan`. If the write fails, the query is not
    /// answered.
    case write(LedgerRecord)
    /// The ledger contradicts the query.
    case refuse(OwnershipRefusal)
}

extension OwnershipQuestion {
    /// What a host whose ledger says `ownership` does with this query from `asker`.
    package func responseStep(for ownership: Ownership?, from asker: HostName)
        -> OwnershipQuestionStep
    {
        // A source asks only after this host wrote `incoming`: a ledger without that record is not the one that took
        // part.
        guard let ownership else { return refusalStep(for: nil) }
        // Only the host that the VM is migrating from may make this host abandon it.
        if case .incoming(_, let source, _) = ownership, source != asker {
            return .refuse(
                OwnershipRefusal(
                    .notAllowed, text: "the VM is migrating from \(source), not from \(asker)"))
        }
        if ownership.epoch > epoch { return responseStep(forLater: ownership) }
        switch ownership {
        case .owned(epoch, migration), .deleted(epoch): return .answer(.taken(epoch))
        case .neverRan(epoch, migration): return .answer(.neverRan(epoch))
        // The record may belong to another attempt in the same epoch. No attempt owns the epoch here, and the source
        // lets only this attempt have it.
        case .incoming(epoch, _, _), .neverRan(epoch, _):
            return .write(.neverRan(vm: vm, epoch: epoch, migration: migration))
        case .neverRan, .handedOver, .incoming, .deleted, .owned, .released, .takenOver,
            .superseded:
            return refusalStep(for: ownership)
        }
    }

    /// A host that owned the VM in a later epoch took it in this one: ownership passed through it. A host that was only
    /// offered the VM later, or was superseded, proves nothing.
    private func responseStep(forLater ownership: Ownership) -> OwnershipQuestionStep {
        switch ownership {
        case .owned, .released, .handedOver, .takenOver, .deleted:
            .answer(.taken(ownership.epoch))
        case .incoming, .neverRan, .superseded: refusalStep(for: ownership)
        }
    }

    private func refusalStep(for ownership: Ownership?) -> OwnershipQuestionStep {
        .refuse(
            OwnershipRefusal(
                .vmExists, text: "the ledger of this host contradicts the query",
                details: [
                    "asked about epoch \(epoch)",
                    ownership.map { "\($0)" } ?? "no record of the VM",
                ]))
    }
}
