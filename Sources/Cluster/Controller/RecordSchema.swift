// The version of all records, under the key `schema`, and how those of an older one become those of this one.
//
//   version 1 ──step──▶ version 2 ──step──▶ …
//
// Steps are made before a leader reads the records. One takes as many transactions as its changes need, and the version
// comes last. A controller that dies in between leaves both kinds of records, and the next one makes the step
// again: so a step leaves alone what it has made already. A store of a newer version is left alone as a whole.

package import ClusterCore
import FoundationEssentials

/// From one version to the next, entry by entry, on the JSON itself: the types know the newest version only.
package struct RecordStep: Sendable {
    /// What becomes of an entry; nil: it stays as it is.
    package typealias Change = @Sendable (StoreEntry) throws(StoreError) -> StoreChange?

    let change: Change

    package init(_ change: @escaping Change) { self.change = change }
}

package struct RecordSchema: Sendable {
    package static let key = StoreKey("schema")
    /// What this controller writes. A change of the records that an older controller cannot read adds a step.
    package static let current = RecordSchema(steps: [.nestedSpecs])

    private struct Stored: Codable { var version: Int }

    private let steps: [RecordStep]

    package init(steps: [RecordStep]) { self.steps = steps }

    /// The first version is 1, and each step makes the next one.
    package var version: Int { steps.count + 1 }

    /// Brings the store's records to this version; an empty store gets it at once.
    /// - Returns: the version that they had, nil when there were none.
    @discardableResult
    package func upgradeSchema(of store: any StateStore, inTerm term: Term) async throws(StoreError)
        -> Int?
    {
        guard let entry = try await store.readEntry(at: Self.key) else {
            try await writeVersion(
                number: version, condition: .absent(Self.key), store: store, inTerm: term)
            return nil
        }
        let stored = try storedVersion(in: entry)
        var before = entry.revision
        for number in stored..<version {
            before = try await runUpgradeStep(
                number: number, condition: .unchanged(Self.key, since: before), store: store,
                inTerm: term)
        }
        return stored
    }

    private func storedVersion(in entry: StoreEntry) throws(StoreError) -> Int {
        guard let stored = try? JSONDecoder().decode(Stored.self, from: Data(entry.value)),
            stored.version >= 1
        else { throw .unusable(reason: "what the store has under \(Self.key) cannot be read") }
        guard stored.version <= version else {
            throw .unusable(
                reason:
                    "the store's records are of version \(stored.version), and this controller knows versions up to \(version): run a newer ferry-controller"
            )
        }
        return stored.version
    }

    /// Makes the step from this version to the next.
    private func runUpgradeStep(
        number: Int, condition: StoreCondition, store: any StateStore, inTerm term: Term
    ) async throws(StoreError) -> Revision {
        var changes: [StoreChange] = []
        for entry in try await store.listAllEntries(prefix: "").entries where entry.key != Self.key
        {
            if let change = try steps[number - 1].change(entry) { changes.append(change) }
        }
        for chunk in StoreChunks(changes).chunks {
            _ = try await store.commitTransaction(StoreTransaction(term: term, changes: chunk))
        }
        return try await writeVersion(
            number: number + 1, condition: condition, store: store, inTerm: term)
    }

    @discardableResult
    private func writeVersion(
        number version: Int, condition: StoreCondition, store: any StateStore, inTerm term: Term
    ) async throws(StoreError) -> Revision {
        try await store.commitTransaction(
            StoreTransaction(
                term: term, conditions: [condition],
                changes: [.put(Self.key, Array(#"{"version":\#(version)}"#.utf8))]))
    }
}
