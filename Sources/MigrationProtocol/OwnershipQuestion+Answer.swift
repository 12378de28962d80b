// How a destination answers "did you take this VM?" from its ledger alone.

import Model

/// What to do about a question.
package enum AnswerStep: Hashable, Sendable {
    case answer(OwnershipAnswer)
    /// Write this durably first; then the answer is `neverRan`. If it cannot be written there is no answer.
    case write(LedgerRecord)
    /// The ledger contradicts the question: nobody can say.
    case refuse(MigrationRefusal)
}

extension OwnershipQuestion {
    /// The answer to this question when the ledger says `ownership`.
    package func step(_ ownership: Ownership?) -> AnswerStep {
        let refusal = LedgerRecord.neverRan(vm: vm, epoch: epoch, migration: migration)
        guard let ownership else { return .write(refusal) }
        if ownership.epoch > epoch { return later(ownership) }
        switch ownership {
        case .owned(epoch, migration), .deleted(epoch): return .answer(.taken(epoch))
        case .neverRan(epoch, migration): return .answer(.neverRan(epoch))
        case .incoming(epoch, _, migration): return .write(refusal)
        case .neverRan, .handedOver, .incoming, .deleted:
            return ownership.epoch < epoch || isNeverRan(ownership)
                ? .write(refusal) : contradiction(ownership)
        case .owned, .released: return contradiction(ownership)
        }
    }

    /// A host that owned the VM in a later epoch proves that it went on after this one. One that was only offered
    /// it later proves nothing.
    private func later(_ ownership: Ownership) -> AnswerStep {
        switch ownership {
        case .owned, .released, .handedOver, .deleted: .answer(.taken(ownership.epoch))
        case .incoming, .neverRan: contradiction(ownership)
        }
    }

    private func isNeverRan(_ ownership: Ownership) -> Bool {
        if case .neverRan = ownership { true } else { false }
    }

    private func contradiction(_ ownership: Ownership) -> AnswerStep {
        .refuse(
            MigrationRefusal(
                .vmExists, "the ledger here contradicts the question",
                details: ["asked about epoch \(epoch)", "\(ownership)"]))
    }
}
