// A reader of the change log that waits for the bell at its end.

package import ClusterCore
import Foundation
import GRDB

extension SQLiteStore {
    package func watchChanges(
        prefix: String, after: Revision
    ) async throws(StoreError) -> any StoreWatch {
        let state = try await readDatabase { db in try StateRow(reading: db) }
        // What lies ahead of this file comes from another one, of which nothing is known here.
        guard after >= state.compacted, after <= state.revision else {
            throw .compacted(after: after)
        }
        return SQLiteWatch(store: self, range: KeyRange(prefix: prefix), after: after)
    }

    /// Whole revisions from the log, and the revision up to which they are all.
    fileprivate func readChanges(
        in range: KeyRange, after: Revision
    ) async throws(StoreError) -> (batches: [StoreBatch], end: Revision) {
        try await readDatabase { db in
            let state = try StateRow(reading: db)
            guard after >= state.compacted else { throw StoreError.compacted(after: after) }
            let statement = try db.cachedStatement(
                sql: """
                    SELECT revision, key, value FROM change
                    WHERE revision > ? AND key >= ? AND key < ? ORDER BY revision, position
                    """)
            let rows = try Row.fetchCursor(
                statement, arguments: [after.sql, range.first, range.end])
            var batches: [StoreBatch] = []
            var size = ReadSize()
            while let row = try rows.next() {
                let revision = try Revision(row: row, column: 0)
                if revision != batches.last?.revision {
                    if let last = batches.last, size.isReached { return (batches, last.revision) }
                    batches.append(StoreBatch(revision: revision, changes: []))
                }
                let change = try StoreChange(row: row)
                size.countChange(change)
                batches[batches.count - 1].changes.append(change)
            }
            return (batches, state.revision)
        }
    }
}

/// How much was read at once.
private struct ReadSize {
    var changes = 0
    var bytes = 0

    var isReached: Bool { changes >= Limits.changesPerRead || bytes >= Limits.bytesPerRead }

    mutating func countChange(_ change: StoreChange) {
        changes += 1
        if case .put(_, let value) = change { bytes += value.count }
    }
}

extension StoreChange {
    /// Of columns revision, key, value.
    fileprivate init(row: Row) throws {
        let key = StoreKey(try row.decode(String.self, atIndex: 1))
        let value = try row.decode(Data?.self, atIndex: 2)
        self = if let value { .put(key, [UInt8](value)) } else { .delete(key) }
    }
}

private actor SQLiteWatch: StoreWatch {
    private let store: SQLiteStore
    private let range: KeyRange
    /// All up to here was read from the log.
    private var position: Revision
    /// Read and not yet given out, at most one read's.
    private var batches: ArraySlice<StoreBatch> = []

    init(store: SQLiteStore, range: KeyRange, after: Revision) {
        self.store = store
        self.range = range
        position = after
    }

    func nextBatch() async throws(StoreError) -> StoreBatch? {
        while !store.notifier.isClosed, !Task.isCancelled {
            if let batch = batches.popFirst() { return batch }
            try await readBatches()
        }
        return nil
    }

    private func readBatches() async throws(StoreError) {
        do {
            let (batches, end) = try await store.readChanges(in: range, after: position)
            self.batches = batches[...]
            position = end
            if batches.isEmpty { await store.notifier.waitForCommit(after: end) }
        } catch .closed {
            // As `next` finds out.
        }
    }
}
