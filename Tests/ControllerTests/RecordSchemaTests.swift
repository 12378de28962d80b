// Records of an older version are brought up to the newest, also by a controller that finds half of it done.

import ClusterCore
import Controller
import Foundation
import Host
import Model
import Store
import Testing

@Suite("The records' version")
struct RecordSchemaTests {
    /// From "a" to "a+", from "a+" to "a+*"; as a step must be, each leaves alone what it has made.
    private static let schema = RecordSchema(steps: [step("+"), step("*")])

    private static func step(_ mark: Character) -> RecordStep {
        RecordStep { entry in
            guard entry.key.text.hasPrefix("vms/"), entry.value.last != mark.asciiValue else {
                return nil
            }
            return .put(entry.key, entry.value + [mark.asciiValue ?? 0])
        }
    }

    private func lead(_ store: MemoryStore) async throws -> Term {
        try await store.campaign(
            Candidate(name: HostName("a"), apiAddress: "127.0.0.1:1"), lease: .seconds(60)
        ).term
    }

    private func fill(_ store: MemoryStore, count: Int) async {
        await store.put(RecordSchema.key, Array(#"{"version":1}"#.utf8))
        await store.put(StoreKey("hosts/a"), Array("host".utf8))
        for number in 0..<count { await store.put(StoreKey("vms/\(number)"), Array("a".utf8)) }
    }

    private func check(_ store: MemoryStore) async throws {
        for entry in try await store.listAll("vms/").entries {
            #expect(String(decoding: entry.value, as: UTF8.self) == "a+*", "\(entry.key)")
        }
        #expect(try await store.read(StoreKey("hosts/a"))?.value == Array("host".utf8))
        let version = try #require(try await store.read(RecordSchema.key))
        #expect(String(decoding: version.value, as: UTF8.self) == #"{"version":3}"#)
    }

    @Test("An empty store gets the newest version; a store of it is left as it is")
    func newStore() async throws {
        let store = MemoryStore()
        let term = try await lead(store)
        #expect(try await Self.schema.upgradeSchema(in: store, term: term) == nil)
        let revision = await store.latest
        #expect(try await Self.schema.upgradeSchema(in: store, term: term) == 3)
        #expect(await store.latest == revision)
    }

    @Test("Every step is made, in order, in as many transactions as it takes")
    func steps() async throws {
        let store = MemoryStore()
        let count = TransactionBounds.changesMax + 5
        await fill(store, count: count)
        #expect(try await Self.schema.upgradeSchema(in: store, term: try await lead(store)) == 1)
        #expect(try await store.listAll("vms/").entries.count == count)
        // Two steps of two transactions, and each step's version.
        #expect(await store.commits == 6)
        try await check(store)
    }

    @Test("Wherever it is cut off, the next controller ends it", arguments: 0..<6)
    func cutOff(commits: Int) async throws {
        let store = MemoryStore()
        await fill(store, count: TransactionBounds.changesMax + 5)
        let term = try await lead(store)
        for _ in 0..<commits { await store.next(.none) }
        let cut = StoreError.unavailable(reason: "cut off")
        await store.next(.fail(cut))
        await #expect(throws: cut) { try await Self.schema.upgradeSchema(in: store, term: term) }
        _ = try await Self.schema.upgradeSchema(in: store, term: term)
        try await check(store)
    }

    @Test("A version that is none is refused", arguments: ["", "{}", #"{"version":0}"#, "3"])
    func unreadable(text: String) async throws {
        let store = MemoryStore()
        await store.put(RecordSchema.key, Array(text.utf8))
        let term = try await lead(store)
        await #expect(throws: StoreError.self) {
            try await Self.schema.upgradeSchema(in: store, term: term)
        }
        #expect(try await store.read(RecordSchema.key)?.value == Array(text.utf8))
    }
}
