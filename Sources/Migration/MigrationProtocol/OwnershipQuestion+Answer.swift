// How a destination answers "did you take this VM?" from its ledger alone.

package import Model

/// What to do about a question.
package enum AnswerStep: Hashable, Sendable {
    case answer(OwnershipAnswer)
    /// Write this durably first; then the answer is `neverRan`. If it cannot be written there is no answer.
    case write(LedgerRecord)
    /// The ledger contradicts the question: nobody can say.
    case refuse(MigrationRefusal)
}

extension OwnershipQuestion {
    /// The answer to this question, asked by `asker`, when the ledger says `ownership`.
    package func step(_ ownership: Ownership?, from asker: HostName) -> AnswerStep {
        // A source asks only after this host wrote `incoming`: a ledger without it is not the one that took part.
        guard let ownership else { return contradiction(nil) }
        // Only the host that a VM comes from may make this one give it up.
        if case .incoming(_, let source, _) = ownership, source != asker {
            return .refuse(
                MigrationRefusal(.notAllowed, "the VM arrives from \(source), not from \(asker)"))
        }
        if ownership.epoch > epoch { return later(ownership) }
        switch ownership {
        case .owned(epoch, migration), .deleted(epoch): return .answer(.taken(epoch))
        case .neverRan(epoch, migration): return .answer(.neverRan(epoch))
        // Also when another attempt at this epoch was the last to leave its record: the epoch is nobody's here, and
        // the source lets only this attempt have it.
        case .incoming(epoch, _, _), .neverRan(epoch, _):
            return .write(.neverRan(vm: vm, epoch: epoch, migration: migration))
        case .neverRan, .handedOver, .incoming, .deleted, .owned, .released, .takenOver, .superseded:
            return contradiction(ownership)
        }
    }

    /// A host that owned the VM in a later epoch proves that it went on after this one. One that was only offered
    /// it later, or was told to keep off, proves nothing.
    private func later(_ ownership: Ownership) -> AnswerStep {
        switch ownership {
        case .owned, .released, .handedOver, .takenOver, .deleted: .answer(.taken(ownership.epoch))
        case .incoming, .neverRan, .superseded: contradiction(ownership)
        }
    }

    private func contradiction(_ ownership: Ownership?) -> AnswerStep {
        .refuse(
            MigrationRefusal(
                .vmExists, "the ledger here contradicts the question",
                details: [
                    "asked about epoch \(epoch)",
                    ownership.map { "\($0)" } ?? "no record of the VM",
                ]))
    }
}
