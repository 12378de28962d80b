// Records of an older version are brought up to the newest, also by a controller that finds half of it done.

import API
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
        try await store.acquireLeadership(
            for: Candidate(name: HostName("a"), apiAddress: "127.0.0.1:1"), lease: .seconds(60)
        ).term
    }

    private func fill(_ store: MemoryStore, count: Int) async {
        await store.put(RecordSchema.key, Array(#"{"version":1}"#.utf8))
        await store.put(StoreKey("hosts/a"), Array("host".utf8))
        for number in 0..<count { await store.put(StoreKey("vms/\(number)"), Array("a".utf8)) }
    }

    private func check(_ store: MemoryStore) async throws {
        for entry in try await store.listAllEntries(prefix: "vms/").entries {
            #expect(String(decoding: entry.value, as: UTF8.self) == "a+*", "\(entry.key)")
        }
        #expect(try await store.readEntry(at: StoreKey("hosts/a"))?.value == Array("host".utf8))
        let version = try #require(try await store.readEntry(at: RecordSchema.key))
        #expect(String(decoding: version.value, as: UTF8.self) == #"{"version":3}"#)
    }

    @Test("An empty store gets the newest version; a store of it is left as it is")
    func newStore() async throws {
        let store = MemoryStore()
        let term = try await lead(store)
        #expect(try await Self.schema.upgradeSchema(of: store, inTerm: term) == nil)
        let revision = await store.latest
        #expect(try await Self.schema.upgradeSchema(of: store, inTerm: term) == 3)
        #expect(await store.latest == revision)
    }

    @Test("Every step is made, in order, in as many transactions as it takes")
    func steps() async throws {
        let store = MemoryStore()
        let count = TransactionBounds.changesMax + 5
        await fill(store, count: count)
        #expect(try await Self.schema.upgradeSchema(of: store, inTerm: try await lead(store)) == 1)
        #expect(try await store.listAllEntries(prefix: "vms/").entries.count == count)
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
        await #expect(throws: cut) { try await Self.schema.upgradeSchema(of: store, inTerm: term) }
        _ = try await Self.schema.upgradeSchema(of: store, inTerm: term)
        try await check(store)
    }

    @Test("A VM's record of version 1 becomes one with a spec and a policy, and stays so")
    func nestedSpecs() async throws {
        let store = MemoryStore()
        await store.put(RecordSchema.key, Array(#"{"version":1}"#.utf8))
        let key = StoreKey("vms/web")
        await store.put(key, Array(Self.version1.utf8))
        let term = try await lead(store)
        #expect(try await RecordSchema.current.upgradeSchema(of: store, inTerm: term) == 1)
        let entry = try #require(try await store.readEntry(at: key))
        guard case .vm(let record)? = try RecordCodec.decodeRecord(from: entry) else {
            Issue.record("it is no VM's record")
            return
        }
        let spec = VMSpec(
            name: try VMName("web"), memory: .gibibytes(1), vcpus: 2, hugePages: true,
            downtimeLimit: DowntimeLimit(.microseconds(62_500)), commandLine: "rate=1",
            kernel: .files(kernel: "/k", initrd: "/i"))
        #expect(record.spec == spec)
        #expect((record.version, record.restarts, record.epochMax) == (9, 4, 6))
        #expect(record.startOn == (try HostName("host-b")))
        #expect(record.place?.epoch == 3 && record.features == ["avx2"])
        // Its owner has changed the policy since.
        #expect(record.policy.failurePolicy == .leave && record.policy.labels == ["new"])
        #expect(record.policy.groups.map(\.name) == ["db"] && record.policy.priority == 7)
        #expect(record.firstPolicy?.failurePolicy == .restart)
        #expect(record.firstPolicy?.labels == ["ssd"])
        #expect(record.spec.isLeased == false)
        #expect(try RecordCodec.encodeRecord(.vm(record)) == entry.value)

        // A controller that was cut off before it wrote the version makes the step again.
        await store.put(RecordSchema.key, Array(#"{"version":1}"#.utf8))
        #expect(try await RecordSchema.current.upgradeSchema(of: store, inTerm: term) == 1)
        #expect(try await store.readEntry(at: key)?.value == entry.value)
    }

    private static let version1 = """
        {"bootWanted":true,"desired":"running","epochFloor":2,"epochMax":6,"failurePolicy":"leave",
         "features":["avx2"],"groups":["db"],"id":"0123456789abcdef0011223344556677",
         "isDeleting":false,"labels":["new"],"mayBeBalanced":false,"name":"web",
         "place":{"epoch":3,"host":"host-a","isLeased":true},"priority":7,
         "request":{"commandLine":"rate=1","downtimeLimitMs":62.5,"failurePolicy":"restart",
          "groups":[{"kind":"anti-affinity","name":"db"}],"hugePages":true,"initrdPath":"/i",
          "kernelPath":"/k","labels":["ssd"],"mayBeBalanced":false,"memoryBytes":1073741824,
          "name":"web","pinnedHost":"host-a","priority":7,"startOn":"host-b","vcpus":2},
         "restarts":4,"retired":[{"epoch":1,"host":"host-d"}],"version":9}
        """

    @Test("A version that is none is refused", arguments: ["", "{}", #"{"version":0}"#, "3"])
    func unreadable(text: String) async throws {
        let store = MemoryStore()
        await store.put(RecordSchema.key, Array(text.utf8))
        let term = try await lead(store)
        await #expect(throws: StoreError.self) {
            try await Self.schema.upgradeSchema(of: store, inTerm: term)
        }
        #expect(try await store.readEntry(at: RecordSchema.key)?.value == Array(text.utf8))
    }
}
