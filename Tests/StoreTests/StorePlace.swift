// Where a store under test stands, so that one suite serves for all of them.

import ClusterCore
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
    func end() async
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

    func end() async { await store.withLock { $0 }.close() }
}

/// A cluster's part of an etcd.
final class EtcdPlace: StorePlace {
    let etcd: TestEtcd
    private let cluster: ClusterName
    private let stores = Mutex<[EtcdStore]>([])

    init(_ etcd: TestEtcd) throws {
        self.etcd = etcd
        cluster = try ClusterName("c\(UInt64.random(in: .min ... .max))")
    }

    func open() async throws -> any StateStore {
        try await open(endpoints: [etcd.url])
    }

    func open(
        endpoints: [String], keysFolder: String? = nil, watchSilence: Duration = .seconds(10)
    ) async throws -> any StateStore {
        let store = try EtcdStore(
            endpoints: endpoints, cluster: cluster, keysFolder: keysFolder,
            watchSilence: watchSilence)
        stores.withLock { $0.append(store) }
        return store
    }

    func reopen() async throws -> any StateStore {
        await end()
        return try await open()
    }

    func end() async {
        let stores = stores.withLock { stores in
            defer { stores = [] }
            return stores
        }
        for store in stores { await store.close() }
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

@Suite("What every store does", .serialized)
struct ConformanceTests {
    @Test("The SQLite store does it", .timeLimit(.minutes(2)), arguments: Check.all)
    func sqlite(_ check: Check) async throws {
        try await run(check, SQLitePlace())
    }

    @Test(
        "The etcd store does it",
        .enabled(if: TestEtcd.isInstalled, Comment(rawValue: TestEtcd.whySkipped)),
        .timeLimit(.minutes(2)), arguments: Check.all)
    func etcd(_ check: Check) async throws {
        try await run(check, EtcdPlace(TestEtcd.shared.get()))
    }

    private func run(_ check: Check, _ place: some StorePlace) async throws {
        do { try await check.run(place) } catch { Issue.record(error) }
        await place.end()
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
        try await commitTransaction(
            StoreTransaction(term: term, conditions: conditions, changes: changes))
    }

    @discardableResult
    func commit(all changes: [StoreChange]) async throws(StoreError) -> Revision {
        try await commitTransaction(StoreTransaction(term: nil, changes: changes))
    }

    /// The revision now, to watch from: earlier ones may have been compacted, where a store serves others too.
    func present() async throws(StoreError) -> Revision {
        try await listAllEntries(prefix: "").revision
    }

    func text(_ key: String) async throws -> String? {
        try await readEntry(at: StoreKey(key)).map { String(decoding: $0.value, as: UTF8.self) }
    }

    /// "key=value" of all below a prefix.
    func texts(_ prefix: String) async throws -> [String] {
        try await listAllEntries(prefix: prefix).texts
    }
}

extension StorePage {
    var texts: [String] {
        entries.map { "\($0.key)=\(String(decoding: $0.value, as: UTF8.self))" }
    }
}

func candidate(_ name: String) throws -> Candidate {
    Candidate(name: try HostName(name), apiAddress: "127.0.0.1:7200")
}
