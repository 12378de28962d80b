// A handover whose outcome a host's ledger does not have: what to ask or tell the other host, and what its answer means.
//
// The driver of the resolution and the explorer both use this value; they differ only in how the query travels.

package import Model
package import Ownership

/// What one host asks another host's ledger, or tells it.
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

    /// Nil when the ledger leaves nothing unresolved about this VM.
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

    /// The record that resolves the handover after this answer to the query; nil when the answer does not resolve it.
    ///
    /// The ledger may have changed since the query was sent: it then refuses the record or takes it, as its own rules say.
    package func resolvingRecord(after answer: OwnershipAnswer) -> LedgerRecord? {
        switch query {
        case .question(let question):
            // The source's machine knows what an answer means; here it starts after GO.
            var machine = SourceMachine(asking: question, destination: host, questionsMax: 1)
            for case .write(let record) in machine.handleEvent(.answer(answer)) { return record }
            return nil
        case .notice(let notice):
            guard case .superseded(let epoch) = answer, epoch >= notice.epoch else { return nil }
            return .owned(vm: notice.vm, epoch: notice.epoch, migration: nil)
        }
    }
}
