// What is in a store's file, how older files become of this version, and what tells a store from other files.

import ClusterCore
import Foundation
import GRDB
import Host
import Model

enum SQLiteSchema {
    /// "FERY", in the header of every store's file.
    private static let applicationID: Int32 = 0x4645_5259

    /// Migrations are never changed once they were delivered; a new version adds one.
    private static var migrator: DatabaseMigrator {
        var migrator = DatabaseMigrator()
        migrator.registerMigration("1: entries, changes, leader") { db in
            try db.execute(sql: "PRAGMA application_id = \(applicationID)")
            try db.execute(sql: firstVersion)
        }
        return migrator
    }

    /// - entry: what holds now.
    /// - change: what watchers are told; `value` is null where the key was deleted. Reaches back to `state.compacted`, of
    ///   which revision nothing is kept.
    /// - state: one row. `term` outlives its leader, so that it never comes again.
    private static let firstVersion = """
        CREATE TABLE entry (
            key TEXT NOT NULL PRIMARY KEY,
            value BLOB NOT NULL,
            revision INTEGER NOT NULL
        ) STRICT;
        CREATE TABLE change (
            revision INTEGER NOT NULL,
            position INTEGER NOT NULL,
            key TEXT NOT NULL,
            value BLOB,
            PRIMARY KEY (revision, position)
        ) STRICT;
        CREATE TABLE state (
            id INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
            revision INTEGER NOT NULL,
            compacted INTEGER NOT NULL,
            term INTEGER NOT NULL,
            leader_name TEXT,
            leader_api_address TEXT
        ) STRICT;
        INSERT INTO state (id, revision, compacted, term) VALUES (1, 0, 0, 0);
        """

    /// Looks without changing anything. An empty file will be a store; any other is one of this version or older, or
    /// `unusable`.
    static func checkIsStore(path: String) throws {
        guard try Descriptor.openFile(at: path, flags: O_RDONLY).sizeInBytes() > 0 else { return }
        var configuration = Configuration()
        configuration.readonly = true
        configuration.busyMode = .timeout(Limits.busyTimeout)
        let file = try DatabaseQueue(path: path, configuration: configuration)
        defer { try? file.close() }
        try file.read { db in
            let found = try String.fetchOne(db, sql: "PRAGMA quick_check(1)")
            guard found == "ok" else {
                throw StoreError.unusable(
                    reason:
                        "\(path) is damaged (\(found ?? "no reason given")): put a copy from before the damage in its place"
                )
            }
            let id = try Int32.fetchOne(db, sql: "PRAGMA application_id")
            let tables = try Int.fetchOne(db, sql: "SELECT count(*) FROM sqlite_master") ?? 0
            guard id == applicationID || tables == 0 else {
                throw StoreError.unusable(
                    reason: "\(path) belongs to another program: name another file")
            }
            guard try !migrator.hasBeenSuperseded(db) else {
                throw StoreError.unusable(
                    reason:
                        "\(path) was written by a newer version of Ferry: run that version, or put a copy from before it in the file's place"
                )
            }
        }
    }

    static func openDatabasePool(path: String) throws -> DatabasePool {
        var configuration = Configuration()
        configuration.busyMode = .timeout(Limits.busyTimeout)
        let pool = try DatabasePool(path: path, configuration: configuration)
        try pool.writeWithoutTransaction { db in
            // GRDB sets NORMAL, with which a power cut takes the last commits along.
            try db.execute(sql: "PRAGMA synchronous = FULL")
            try db.execute(sql: "PRAGMA wal_autocheckpoint = \(Limits.pagesPerCheckpoint)")
        }
        try migrator.migrate(pool)
        return pool
    }
}

/// The one row of `state`.
struct StateRow {
    let revision: Revision
    let compacted: Revision
    /// The last one that was given out.
    let term: Term
    let candidate: Candidate?

    init(reading db: Database) throws {
        let statement = try db.cachedStatement(
            sql: """
                SELECT revision, compacted, term, leader_name, leader_api_address FROM state
                WHERE id = 1
                """)
        guard let row = try Row.fetchOne(statement) else {
            throw StoreError.unusable(reason: "the store's file holds no state")
        }
        revision = try Revision(row: row, column: 0)
        compacted = try Revision(row: row, column: 1)
        term = Term(UInt64(clamping: try row.decode(Int64.self, atIndex: 2)))
        let name = try row.decode(String?.self, atIndex: 3)
        let address = try row.decode(String?.self, atIndex: 4)
        candidate =
            if let name, let address {
                Candidate(name: try HostName(name), apiAddress: address)
            } else { nil }
    }

    var leader: Leader? { candidate.map { Leader(candidate: $0, term: term) } }
}

extension Revision {
    init(row: Row, column: Int) throws {
        self.init(UInt64(clamping: try row.decode(Int64.self, atIndex: column)))
    }

    /// As SQLite counts; one that no file has reached is as good as the greatest.
    var sql: Int64 { Int64(clamping: number) }
}

extension StoreEntry {
    /// Of columns key, value, revision.
    init(row: Row) throws {
        self.init(
            key: StoreKey(try row.decode(String.self, atIndex: 0)),
            value: [UInt8](try row.decode(Data.self, atIndex: 1)),
            revision: try Revision(row: row, column: 2))
    }
}
