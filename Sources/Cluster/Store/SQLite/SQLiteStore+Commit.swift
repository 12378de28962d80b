// Changes, and the log of them.

package import ClusterCore
import Foundation
import GRDB
import Model

extension SQLiteStore {
    package func commitTransaction(_ transaction: StoreTransaction) async throws(StoreError)
        -> Revision
    {
        try transaction.checkBounds()
        let revision = try await writeDatabase { db in
            try SQLiteStore.commitTransaction(transaction, in: db)
        }
        notifier.announceCommit(at: revision)
        return revision
    }

    private static func commitTransaction(_ transaction: StoreTransaction, in db: Database) throws
        -> Revision
    {
        var revision = Revision.zero
        var isEnding = false
        do {
            try db.inTransaction(.immediate) {
                let state = try StateRow(reading: db)
                try checkConditions(of: transaction, state: state, in: db)
                revision = try applyChanges(transaction.changes, state: state, in: db)
                isEnding = true
                return .commit
            }
        } catch let error as DatabaseError where isEnding {
            // What SQLite wrote before it failed may be found valid when the file is opened the next time.
            throw StoreError.outcomeUnknown(reason: "COMMIT: \(error.message ?? "\(error)")")
        }
        return revision
    }

    private static func checkConditions(
        of transaction: StoreTransaction, state: StateRow, in db: Database
    ) throws {
        if let term = transaction.term, state.leader?.term != term {
            throw StoreError.deposed(term)
        }
        guard !transaction.conditions.isEmpty else { return }
        let statement = try db.cachedStatement(sql: "SELECT revision FROM entry WHERE key = ?")
        for condition in transaction.conditions {
            let found = try Row.fetchOne(statement, arguments: [condition.key.text])
                .map { try Revision(row: $0, column: 0) }
            let holds =
                switch condition {
                case .absent: found == nil
                case .unchanged(_, let since): found == since
                }
            guard holds else { throw StoreError.conflict(condition.key) }
        }
    }

    /// The new revision; the present one when there was nothing to change.
    private static func applyChanges(
        _ changes: [StoreChange], state: StateRow, in db: Database
    ) throws -> Revision {
        let next = Revision(state.revision.number + 1)
        var position = 0
        for change in changes where try applyChange(change, at: next, in: db) {
            try appendLogEntry(for: change, at: next, position: position, in: db)
            position += 1
        }
        guard position > 0 else { return state.revision }
        let compacted = max(state.compacted.sql, next.sql - Limits.revisionsKept)
        try removeLogEntries(upTo: compacted, in: db)
        try db.cachedStatement(sql: "UPDATE state SET revision = ?").execute(arguments: [next.sql])
        return next
    }

    /// False when a key to delete is not there: then nothing has changed.
    private static func applyChange(
        _ change: StoreChange, at revision: Revision, in db: Database
    ) throws -> Bool {
        switch change {
        case .put(let key, let value):
            try db.cachedStatement(
                sql: """
                    INSERT INTO entry (key, value, revision) VALUES (?, ?, ?)
                    ON CONFLICT (key) DO UPDATE SET value = excluded.value, revision = excluded.revision
                    """
            ).execute(arguments: [key.text, Data(value), revision.sql])
            return true
        case .delete(let key):
            try db.cachedStatement(sql: "DELETE FROM entry WHERE key = ?")
                .execute(arguments: [key.text])
            return db.changesCount > 0
        }
    }

    private static func appendLogEntry(
        for change: StoreChange, at revision: Revision, position: Int, in db: Database
    ) throws {
        let value: Data? =
            switch change {
            case .put(_, let value): Data(value)
            case .delete: nil
            }
        try db.cachedStatement(
            sql: "INSERT INTO change (revision, position, key, value) VALUES (?, ?, ?, ?)"
        ).execute(arguments: [revision.sql, position, change.key.text, value])
    }

    private static func removeLogEntries(upTo revision: Int64, in db: Database) throws {
        try db.cachedStatement(sql: "DELETE FROM change WHERE revision <= ?")
            .execute(arguments: [revision])
        try db.cachedStatement(sql: "UPDATE state SET compacted = max(compacted, ?)")
            .execute(arguments: [revision])
    }

    package func compactChanges(before revision: Revision) async throws(StoreError) {
        guard revision > .zero else { return }
        try await writeDatabase { db in
            try db.inTransaction(.immediate) {
                let present = try StateRow(reading: db).revision.sql
                try SQLiteStore.removeLogEntries(upTo: min(revision.sql - 1, present), in: db)
                return .commit
            }
        }
    }
}
