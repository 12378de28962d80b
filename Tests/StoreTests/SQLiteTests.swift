// What is the SQLite store's alone: its file.

import ClusterCore
import Foundation
import GRDB
import Host
import Store
import StoreTestSupport
import Testing

@Suite("The SQLite store's file", .timeLimit(.minutes(2)))
struct SQLiteTests {
    @Test("A second store on the same file is refused, until the first is closed")
    func secondOpener() async throws {
        let place = try SQLitePlace()
        let error = #expect(throws: StoreError.self) { try SQLiteStore(path: place.path) }
        guard case .unavailable(let reason) = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(reason.contains("open in another process"))
        _ = try await place.reopen()
    }

    @Test("A file that was copied while it was in use holds all that was committed")
    func copyOfLiveFile() async throws {
        let place = try SQLitePlace()
        let store = try await place.open()
        for count in 0..<20 { try await store.commit(.put("n/\(count)", "\(count)")) }
        // What is on the disk after a power cut: the file and its log, without the memory of either.
        let copy = try TemporaryFolder()
        for name in ["store.sqlite", "store.sqlite-wal"] {
            try FileManager.default.copyItem(
                atPath: "\(place.folder.path)/\(name)", toPath: "\(copy.path)/\(name)")
        }
        let again = try SQLiteStore(path: "\(copy.path)/store.sqlite")
        #expect(try await again.texts("n/") == store.texts("n/"))
        #expect(try await again.texts("n/").count == 20)
        await again.close()
    }

    @Test("A file of a newer version is refused and left as it is")
    func newerVersion() async throws {
        let place = try SQLitePlace()
        let store = try await place.open()
        try await store.commit(.put("a", "1"))
        await store.close()
        try sqlite(place.path, "INSERT INTO grdb_migrations VALUES ('9: from the future')")
        let reason = try refusal(place.path)
        #expect(reason.contains("newer version"))
        try sqlite(place.path, "DELETE FROM grdb_migrations WHERE identifier LIKE '9:%'")
        #expect(try await place.reopen().texts("") == ["a=1"])
    }

    @Test("A file of another program is refused and left as it is")
    func foreignFile() throws {
        let folder = try TemporaryFolder()
        let path = "\(folder.path)/store.sqlite"
        try sqlite(path, "CREATE TABLE theirs (id); INSERT INTO theirs VALUES (7)")
        let before = try File.readContents(at: path, limit: 1 << 20)
        #expect(try refusal(path).contains("another program"))
        #expect(try File.readContents(at: path, limit: 1 << 20) == before)
    }

    @Test("A file that is no database, or a damaged one, is refused and left as it is")
    func damagedFile() async throws {
        let place = try SQLitePlace()
        let store = try await place.open()
        for count in 0..<300 { try await store.commit(.put("n/\(count)", "\(count)")) }
        await store.close()
        let whole = try File.readContents(at: place.path, limit: 10 << 20)
        var damaged: [[UInt8]] = [
            Array("This is a text, and not a short one either. ".utf8),
            Array(whole.prefix(whole.count / 2)), Array(whole.prefix(50)),
        ]
        for page in 1..<(whole.count / 4096) {
            var copy = whole
            for index in 0..<100 { copy[page * 4096 + index] ^= 0x5A }
            damaged.append(copy)
        }
        for bytes in damaged {
            try AtomicFile.writeBytes(bytes, to: place.path)
            _ = try refusal(place.path)
            #expect(try File.readContents(at: place.path, limit: 10 << 20) == bytes)
        }
        try AtomicFile.writeBytes(whole, to: place.path)
        #expect(try await place.reopen().texts("n/").count == 300)
    }

    @Test("Nobody else can read it")
    func permissions() async throws {
        let place = try SQLitePlace()
        try await place.open().commit(.put("a", "1"))
        for suffix in ["", "-wal", "-shm", ".lock"] {
            #expect(try File.permissionBits(at: place.path + suffix) == 0o600)
        }
    }

    @Test("Without anybody compacting, the log still ends somewhere")
    func boundedLog() async throws {
        let place = try SQLitePlace()
        let store = try await place.open()
        try await store.commit(.put("a", "1"))
        await store.close()
        // As if very many commits had been made.
        try sqlite(place.path, "UPDATE state SET revision = 1000000")
        let again = try await place.reopen()
        try await again.commit(.put("a", "2"))
        await #expect(throws: StoreError.compacted(after: Revision(1))) {
            _ = try await again.watchChanges(prefix: "", after: Revision(1)).nextBatch()
        }
        #expect(try sqlite(place.path, "SELECT count(*) FROM change") == "1")
    }

    /// The reason why the file cannot be used.
    private func refusal(_ path: String) throws -> String {
        let error = #expect(throws: StoreError.self) { try SQLiteStore(path: path) }
        guard case .unusable(let reason) = error else {
            Issue.record("\(String(describing: error))")
            return ""
        }
        return reason
    }
}

/// Runs statements on a file that no store has open; the first value of the answer, of one SELECT.
@discardableResult
private func sqlite(_ path: String, _ statements: String) throws -> String? {
    let file = try DatabaseQueue(path: path)
    defer { try? file.close() }
    return try file.write { db in
        guard statements.hasPrefix("SELECT") else {
            try db.execute(sql: statements)
            return nil
        }
        return try String.fetchOne(db, sql: statements)
    }
}
