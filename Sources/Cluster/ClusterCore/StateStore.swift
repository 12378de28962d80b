// What the controller needs of a store: entries by key, each with the revision of its last change; changes that happen
// together and only if nothing moved on; one leader at a time; and everything that changed since a revision.
//
//   candidate ──campaign──▶ term t ──commit(term: t)──▶ revision r ──watch(after: r)──▶ …
//
// Of two controllers that both believe they lead, only the one with the store's current term can change anything.

package import Model

/// Where a value stands: words of letters, digits, '-', '_' and '.', joined by '/'; "vms/web".
package struct StoreKey: Hashable, Comparable, Sendable, CustomStringConvertible {
    package let text: String

    package init(_ text: String) { self.text = text }

    package var description: String { text }
    package static func < (left: Self, right: Self) -> Bool { left.text < right.text }
}

/// Grows by one or more with each commit to the store, whatever it changed. 0: before everything.
package struct Revision: Hashable, Comparable, Sendable, Codable, CustomStringConvertible {
    package let number: UInt64

    package init(_ number: UInt64) { self.number = number }

    package static let zero = Revision(0)
    package var description: String { "\(number)" }
    package static func < (left: Self, right: Self) -> Bool { left.number < right.number }
}

/// A leader's generation. Grows with every change of leader, never comes again.
package struct Term: Hashable, Comparable, Sendable, Codable, CustomStringConvertible {
    package let number: UInt64

    package init(_ number: UInt64) { self.number = number }

    package var description: String { "\(number)" }
    package static func < (left: Self, right: Self) -> Bool { left.number < right.number }
}

package struct StoreEntry: Hashable, Sendable {
    package var key: StoreKey
    package var value: [UInt8]
    /// Of its last change.
    package var revision: Revision

    package init(key: StoreKey, value: [UInt8], revision: Revision) {
        self.key = key
        self.value = value
        self.revision = revision
    }
}

package struct StorePage: Hashable, Sendable {
    /// By key, ascending.
    package var entries: [StoreEntry]
    /// The store's revision at which this was so: watch from here on.
    package var revision: Revision
    package var isComplete: Bool

    package init(entries: [StoreEntry], revision: Revision, isComplete: Bool) {
        self.entries = entries
        self.revision = revision
        self.isComplete = isComplete
    }
}

/// What must hold for a transaction to be made.
package enum StoreCondition: Hashable, Sendable {
    case absent(StoreKey)
    /// It is there, and was last changed at this revision.
    case unchanged(StoreKey, since: Revision)

    package var key: StoreKey {
        switch self {
        case .absent(let key), .unchanged(let key, _): key
        }
    }
}

package enum StoreChange: Hashable, Sendable {
    case put(StoreKey, [UInt8])
    case delete(StoreKey)

    package var key: StoreKey {
        switch self {
        case .put(let key, _), .delete(let key): key
        }
    }
}

/// Changes that are made together, or not at all. No key twice in `changes`.
package struct StoreTransaction: Hashable, Sendable {
    /// The writer's: nothing is changed when the store's leader has another. Nil only where nobody leads: tools, tests.
    package var term: Term?
    package var conditions: [StoreCondition]
    package var changes: [StoreChange]

    package init(term: Term?, conditions: [StoreCondition] = [], changes: [StoreChange]) {
        self.term = term
        self.conditions = conditions
        self.changes = changes
    }
}

/// All that one commit changed within what is watched.
package struct StoreBatch: Hashable, Sendable {
    package var revision: Revision
    package var changes: [StoreChange]

    package init(revision: Revision, changes: [StoreChange]) {
        self.revision = revision
        self.changes = changes
    }
}

/// Who stands for leader.
package struct Candidate: Hashable, Sendable, Codable {
    package var name: HostName
    /// "IP:PORT" of its API, for clients that ask somebody else.
    package var apiAddress: String

    package init(name: HostName, apiAddress: String) {
        self.name = name
        self.apiAddress = apiAddress
    }
}

package struct Leader: Hashable, Sendable {
    package var candidate: Candidate
    package var term: Term

    package init(candidate: Candidate, term: Term) {
        self.candidate = candidate
        self.term = term
    }
}

package enum StoreError: Error, Hashable, Sendable {
    /// Nothing was changed: this condition does not hold.
    case conflict(StoreKey)
    /// Nothing was changed: somebody else leads, or the lease ran out.
    case deposed(Term)
    /// Nobody can say whether it was changed: read again.
    case outcomeUnknown(reason: String)
    /// Nothing was changed; the store may answer later.
    case unavailable(reason: String)
    /// The store no longer knows what changed after that revision: list again.
    case compacted(after: Revision)
    /// What the store holds is not what was written, or is of a newer version; `reason` says what to do.
    case unusable(reason: String)
    /// Larger than the store takes: bytes of a value, changes of a transaction.
    case tooLarge(String, max: Int)
    case closed
}

/// A store. Values are opaque to it.
package protocol StateStore: Sendable {
    func readEntry(at key: StoreKey) async throws(StoreError) -> StoreEntry?

    /// Entries whose key begins with `prefix` and comes after `after`.
    func listEntries(
        prefix: String, after: StoreKey?, limit: Int
    ) async throws(StoreError) -> StorePage

    /// All entries whose key begins with `prefix`, as they were at one revision.
    func listAllEntries(prefix: String) async throws(StoreError) -> StorePage

    /// Durable when it returns.
    func commitTransaction(_ transaction: StoreTransaction) async throws(StoreError) -> Revision

    /// Every later change of keys that begin with `prefix`, batch by batch in order, none left out. `next()` throws
    /// `compacted` when that cannot be kept any more; cancellation of its task ends it.
    func watchChanges(prefix: String, after: Revision) async throws(StoreError) -> any StoreWatch

    /// Waits until this candidate leads; cancellation ends the wait with `closed`.
    func acquireLeadership(for candidate: Candidate, lease: Duration) async throws(StoreError)
        -> Leader

    /// Leads for another lease from the moment of the call. Throws `deposed` when it no longer does.
    func renewLeadership(of leader: Leader) async throws(StoreError)

    /// Leads no longer, so that another one need not wait for the lease's end.
    func resignLeadership(of leader: Leader) async throws(StoreError)

    func currentLeader() async throws(StoreError) -> Leader?

    /// What changed before this revision need not be known to watchers any more.
    func compactChanges(before revision: Revision) async throws(StoreError)

    func close() async
}

/// Changes as they come.
package protocol StoreWatch: Sendable {
    /// Nil when the store is closed or the task cancelled.
    func nextBatch() async throws(StoreError) -> StoreBatch?
}

extension StateStore {
    /// For stores that cannot read an older revision: read again from the start when something changes between two
    /// pages.
    package func listAllEntries(prefix: String) async throws(StoreError) -> StorePage {
        var whole = StorePage(entries: [], revision: .zero, isComplete: false)
        while !whole.isComplete {
            let page = try await listEntries(
                prefix: prefix, after: whole.entries.last?.key, limit: Limits.entriesPerPage)
            if !whole.entries.isEmpty, page.revision != whole.revision {
                whole = StorePage(entries: [], revision: .zero, isComplete: false)
                continue
            }
            whole.entries += page.entries
            whole.revision = page.revision
            whole.isComplete = page.isComplete
        }
        return whole
    }
}
