// A handover whose outcome is missing in a host's ledger: the query or notice to the other host, and the meaning of its
// answer.
//
// The driver of the resolution and the explorer both use this value; they differ only in how the query travels.

package import Model
package import Ownership

/// What one host asks another host's ledger, or notifies it of.
package enum OwnershipQuery: Hashable, Sendable {
    case question(OwnershipQuestion)
    /// After a forced takeover.
    case notice(TakeoverNotice)
}

package struct UnresolvedHandover: Hashable, Sendable {
    package let query: OwnershipQuery
    /// The host that the query is for.
    package let host: HostName

    package init(_ query: OwnershipQuery, with host: HostName) {
        self.query = query
        self.host = host
    }

    /// Nil if the ledger has no unresolved handover of this VM.
    package init?(of vm: VMID, ownership: Ownership?) {
        switch ownership {
        case .released(let epoch, let host, let migration):
            self.init(
                .question(OwnershipQuestion(vm: vm, epoch: epoch, migration: migration)),
                with: host)
        case .takenOver(let epoch, let host, let migration):
            self.init(
                .notice(TakeoverNotice(vm: vm, epoch: epoch, migration: migration)), with: host)
        case .owned, .handedOver, .superseded, .incoming, .neverRan, .deleted, nil: return nil
        }
    }

    /// The record that resolves the handover after this answer to the query; nil if the answer does not resolve it.
    ///
    /// The ledger may have changed since the query was sent: it then refuses or accepts the record by its own rules.
    package func resolvingRecord(after answer: OwnershipAnswer) -> LedgerRecord? {
        switch query {
        case .question(let question):
            // The source's machine interprets the answer; here it starts after GO.
            var machine = SourceMachine(asking: question, destination: host, questionsMax: 1)
            for case .write(let record) in machine.handleEvent(.answer(answer)) { return record }
            return nil
        case .notice(let notice):
            guard case .superseded(let epoch) = answer, epoch >= notice.epoch else { return nil }
            return .owned(vm: notice.vm, epoch: notice.epoch, migration: nil)
        }
    }
}
