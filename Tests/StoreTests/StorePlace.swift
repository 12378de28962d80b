// Where a store under test stands, so that one suite serves for all of them.

import Control
import Host
import Model
import Store
import StoreTestSupport
import Synchronization
import Testing

/// One store's data, empty at first.
protocol StorePlace: Sendable {
    /// A way to the data: each time another client, where a store can have several.
    func open() async throws -> any StateStore
    /// Closes what was opened, and opens the data again.
    func reopen() async throws -> any StateStore
}

final class SQLitePlace: StorePlace {
    let folder: TemporaryFolder
    private let store: Mutex<SQLiteStore>

    init() throws {
        folder = try TemporaryFolder()
        store = Mutex(try SQLiteStore(path: "\(folder.path)/store.sqlite"))
    }

    var path: String { "\(folder.path)/store.sqlite" }

    func open() async throws -> any StateStore { store.withLock { $0 } }

    func reopen() async throws -> any StateStore {
        await store.withLock { $0 }.close()
        let again = try SQLiteStore(path: path)
        store.withLock { $0 = again }
        return again
    }
}

/// A check of the suite: its name, and what it does with a new place.
struct Check: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let run: @Sendable (any StorePlace) async throws -> Void

    init(_ name: String, _ run: @escaping @Sendable (any StorePlace) async throws -> Void) {
        testDescription = name
        self.run = run
    }

    static let all = entryChecks + boundChecks + leaderChecks + watchChecks
}

@Suite("What every store does")
struct ConformanceTests {
    @Test("The SQLite store does it", .timeLimit(.minutes(2)), arguments: Check.all)
    func sqlite(_ check: Check) async throws {
        try await check.run(SQLitePlace())
    }
}

/// Keys and values as tests write them.
extension StoreChange {
    static func put(_ key: String, _ value: String) -> StoreChange {
        .put(StoreKey(key), Array(value.utf8))
    }
    static func delete(_ key: String) -> StoreChange { .delete(StoreKey(key)) }
}

extension StateStore {
    @discardableResult
    func commit(
        _ changes: StoreChange..., when conditions: [StoreCondition] = [], term: Term? = nil
    ) async throws(StoreError) -> Revision {
        try await commit(StoreTransaction(term: term, conditions: conditions, changes: changes))
    }

    @discardableResult
    func commit(all changes: [StoreChange]) async throws(StoreError) -> Revision {
        try await commit(StoreTransaction(term: nil, changes: changes))
    }

    func text(_ key: String) async throws -> String? {
        try await read(StoreKey(key)).map { String(decoding: $0.value, as: UTF8.self) }
    }

    /// "key=value" of all below a prefix.
    func texts(_ prefix: String) async throws -> [String] { try await listAll(prefix).texts }
}

extension StorePage {
    var texts: [String] {
        entries.map { "\($0.key)=\(String(decoding: $0.value, as: UTF8.self))" }
    }
}

func candidate(_ name: String) throws -> Candidate {
    Candidate(name: try HostName(name), apiAddress: "127.0.0.1:7200")
}
