// What changed in the cluster, as the controller tells those who follow it.
//
//   id: 4711                  the store's revision; `Last-Event-ID` or ?after= goes on behind it
//   event: vm                 host, vm, operation, balance, or reset
//   data: {…}                 what a GET of that thing answers; {"deleted":"NAME"} when it is no more
//
// `reset` (data: {}) means that changes in between are not known any more: list everything again, then go on behind
// its id.

package struct ClusterEvent: Hashable, Sendable {
    package enum Kind: String, Hashable, Sendable, CaseIterable {
        case host, vm, operation, balance, reset
    }

    package enum Change: Hashable, Sendable {
        case host(ClusterHost)
        case vm(ClusterVM)
        case operation(OperationInfo)
        case balance(BalanceInfo)
        /// A thing of that kind is no more.
        case deleted(Kind, name: String)
        case reset
    }

    package var revision: UInt64
    package var change: Change

    package init(revision: UInt64, change: Change) {
        self.revision = revision
        self.change = change
    }
}

/// The data of an event about something that is no more.
package struct DeletedThing: Hashable, Sendable, Codable {
    package var deleted: String
    package init(deleted: String) { self.deleted = deleted }
}
