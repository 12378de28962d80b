// The store of a single controller: one SQLite file beside it, which no other process may open as a store.
//
//   commit ──▶ one SQL transaction: term, conditions, entries, change log ──fsync──▶ bell ──▶ watchers read the log
//
// It waits for disks on GRDB's own queues, never on the threads of Swift's tasks. Cancellation stops no commit halfway:
// what was begun is ended, and its outcome told.

package import ClusterCore
import Dispatch
import GRDB
import Glibc
import Host
import Synchronization

package final class SQLiteStore: StateStore {
    let path: String
    let pool: DatabasePool
    /// Rings at each commit, for watchers.
    let notifier: CommitNotifier
    /// Held open for as long as the store is: the file's owner.
    private let lock: Mutex<Descriptor?>

    /// Opens the file, or makes it. Whoever led when it was last closed leads no more.
    ///
    /// Throws `unavailable` while another process has it open, `unusable` for a file that is damaged, not a store, or of
    /// a newer version; such a file is left as it is.
    package init(path: String) throws(StoreError) {
        self.path = path
        lock = Mutex(try Self.acquireFileLock(path: path))
        do {
            try SQLiteSchema.checkIsStore(path: path)
            pool = try SQLiteSchema.openDatabasePool(path: path)
            let state = try pool.write { db in
                try db.execute(
                    sql: "UPDATE state SET leader_name = NULL, leader_api_address = NULL")
                return try StateRow(reading: db)
            }
            notifier = CommitNotifier(revision: state.revision)
        } catch { throw storeError(from: error, path: path) }
    }

    private static func acquireFileLock(path: String) throws(StoreError) -> Descriptor {
        do {
            try Folder.createFolder(at: Folder.parentFolder(ofPath: path), mode: 0o700)
            let file = try Descriptor.openFile(at: "\(path).lock", flags: O_CREAT | O_RDWR)
            try file.lockExclusively()
            // Made here so that nobody else can read it: SQLite gives the files beside it the same permissions.
            _ = try Descriptor.openFile(at: path, flags: O_CREAT | O_RDWR)
            return file
        } catch {
            guard error.code != EWOULDBLOCK else {
                throw .unavailable(
                    reason:
                        "\(path) is open in another process: stop the other controller, or give this one a file of its own"
                )
            }
            throw .unavailable(reason: "\(error)")
        }
    }

    package func close() async {
        notifier.close()
        await withCheckedContinuation { continuation in
            DispatchQueue.global().async { [self] in
                // It fails when it is closed already; a commit under way is waited for.
                try? pool.close()
                lock.withLock { $0 = nil }
                continuation.resume()
            }
        }
    }

    // MARK: Reading

    package func readEntry(at key: StoreKey) async throws(StoreError) -> StoreEntry? {
        try await readDatabase { db in
            let statement = try db.cachedStatement(
                sql: "SELECT key, value, revision FROM entry WHERE key = ?")
            return try Row.fetchOne(statement, arguments: [key.text]).map(StoreEntry.init(row:))
        }
    }

    package func listEntries(
        prefix: String, after: StoreKey?, limit: Int
    ) async throws(StoreError) -> StorePage {
        try await readDatabase { db in
            try SQLiteStore.readEntryPage(
                in: db, range: KeyRange(prefix: prefix), after: after, limit: limit)
        }
    }

    package func listAllEntries(prefix: String) async throws(StoreError) -> StorePage {
        try await readDatabase { db in
            try SQLiteStore.readEntryPage(
                in: db, range: KeyRange(prefix: prefix), after: nil, limit: .max, bytesMax: .max)
        }
    }

    /// Within one transaction, and so all of one revision.
    private static func readEntryPage(
        in db: Database, range: KeyRange, after: StoreKey?, limit: Int,
        bytesMax: Int = Limits.bytesPerRead
    ) throws -> StorePage {
        let statement = try db.cachedStatement(
            sql: """
                SELECT key, value, revision FROM entry WHERE key >= ? AND key < ? AND key > ?
                ORDER BY key
                """)
        let rows = try Row.fetchCursor(
            statement, arguments: [range.first, range.end, after?.text ?? ""])
        var entries: [StoreEntry] = []
        var bytes = 0
        var isComplete = true
        while let row = try rows.next() {
            guard entries.count < limit, bytes < bytesMax else {
                isComplete = false
                break
            }
            entries.append(try StoreEntry(row: row))
            bytes += entries[entries.count - 1].value.count
        }
        return StorePage(
            entries: entries, revision: try StateRow(reading: db).revision, isComplete: isComplete)
    }

    // MARK: Access

    func readDatabase<Value: Sendable>(
        body: @escaping @Sendable (Database) throws -> Value
    ) async throws(StoreError) -> Value {
        try await accessPool { [pool] done in
            pool.asyncRead { result in done(Result { try body(result.get()) }) }
        }
    }

    func writeDatabase<Value: Sendable>(
        body: @escaping @Sendable (Database) throws -> Value
    ) async throws(StoreError) -> Value {
        try await accessPool { [pool] done in
            pool.asyncWriteWithoutTransaction { db in done(Result { try body(db) }) }
        }
    }

    private func accessPool<Value: Sendable>(
        starting start: (@escaping @Sendable (Result<Value, any Error>) -> Void) -> Void
    ) async throws(StoreError) -> Value {
        guard !notifier.isClosed else { throw .closed }
        let result = await withCheckedContinuation { continuation in
            start { continuation.resume(returning: $0) }
        }
        do { return try result.get() } catch {
            // A call that came just before the store was closed finds the file closed.
            throw notifier.isClosed && !(error is StoreError)
                ? .closed : storeError(from: error, path: path)
        }
    }
}

/// What SQLite says, in the words of stores.
func storeError(from error: any Error, path: String) -> StoreError {
    guard let error = error as? DatabaseError else {
        return error as? StoreError ?? .unusable(reason: "\(path): \(error)")
    }
    let said = "\(path): \(error.message ?? "SQLite error \(error.resultCode.rawValue)")"
    return switch error.resultCode {
    case .SQLITE_NOTADB:
        .unusable(
            reason: "\(path) is not a SQLite file: name another file, or put a copy in its place")
    case .SQLITE_CORRUPT:
        .unusable(reason: "\(said): put a copy from before the damage in its place")
    case .SQLITE_BUSY, .SQLITE_LOCKED, .SQLITE_FULL, .SQLITE_IOERR, .SQLITE_CANTOPEN,
        .SQLITE_READONLY, .SQLITE_PERM, .SQLITE_NOMEM:
        .unavailable(reason: said)
    default: .unusable(reason: said)
    }
}
