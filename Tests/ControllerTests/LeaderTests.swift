import API
import Clients
import ClusterCore
import Controller
import Foundation
import HTTPTypes
import Host
import Model
import Serving
import Testing

@Suite("Several controllers", .serialized)
struct LeaderTests {
    /// Two controllers of one store, of which the first leads.
    private static func withTwo(
        lease: Duration = .seconds(2),
        _ body: @Sendable (MemoryStore, TestController, TestController) async throws -> Void
    ) async throws {
        let cluster = try TestCluster()
        defer { cluster.remove() }
        let store = MemoryStore()
        let first = try TestController("controller-1", of: cluster, store: store, lease: lease)
        let second = try TestController("controller-2", of: cluster, store: store, lease: lease)
        try await first.running {
            try await first.waitUntilReady()
            try await second.running { try await body(store, first, second) }
        }
    }

    @Test("One that does not lead says who does, on every route but those about itself")
    func notLeader() async throws {
        try await Self.withTwo { _, first, second in
            for route in try second.api.routes.map(\.description)
            where route.access != .unauthenticated {
                guard !["/metrics", "/v1/openapi.json"].contains(route.path) else { continue }
                // Those with bodies are asked for those first.
                guard route.method == .get || route.method == .delete else { continue }
                let path =
                    route.path.replacing("{name}", with: "host-a")
                    .replacing("{id}", with: String(repeating: "0", count: 32))
                let answer = try await second.curl(
                    route.method.rawValue, path, as: second.operatorIdentity)
                #expect(answer.problem?.knownCode == .notLeader, "\(path) \(answer.text)")
                #expect(
                    answer.headers["location"] == "https://127.0.0.1:\(first.address.port)\(path)")
            }
            let health = try await second.curl("GET", "/healthz", as: .nobody)
            #expect(health.status == 200)
            let ready = try await second.curl("GET", "/readyz", as: .nobody)
            #expect(ready.status == 503)
            let figures = try await second.curl("GET", "/metrics", as: second.operatorIdentity)
            #expect(try PrometheusText(figures.text).value("ferry_leader") == 0)
            // A token cannot be looked up there.
            let token = try await second.curl("GET", "/v1/hosts", as: .token("ferry.a.b"))
            #expect(token.problem?.knownCode == .notLeader)
        }
    }

    @Test("A client goes to the leader by itself, and a heartbeat does as well")
    func following() async throws {
        try await Self.withTwo { _, first, second in
            try await second.client(of: [first]) { client in
                let made = try await client.createVM(with: newVM("web"))
                #expect(made.name.text == "web")
                #expect(try await client.readClusterInfo().controller == first.name)
            }
        }
    }

    @Test("When the leader loses its lease another one takes over, knowing everything")
    func takeover() async throws {
        try await Self.withTwo { store, first, second in
            try await second.client(of: [first]) { client in
                for index in 0..<20 { _ = try await client.createVM(with: newVM("vm-\(index)")) }
                let start = Instant.now
                await store.failRenewals(.unavailable(reason: "a test"))
                // Answers come from the first until its lease ends.
                while await first.driver.term != nil {
                    #expect(Instant.now - start < .seconds(10))
                    try await Task.sleep(for: .milliseconds(20))
                }
                await store.failRenewals(nil)
                let all = try await client.collectAllPages { after throws(ClientError) in
                    try await client.listClusterVMs(after: after)
                }
                #expect(all.count == 20)
                #expect(Instant.now - start < .seconds(10))
                #expect(try await client.readClusterInfo().term > 1)
            }
        }
    }

    @Test("Followers of events go on at the next leader, and miss nothing")
    func events() async throws {
        try await Self.withTwo { store, first, second in
            try await second.client(of: [first]) { client in
                let follower = Task {
                    var names: [String] = []
                    try await client.followEvents(after: 0) { event in
                        if case .vm(let vm) = event.change { names.append(vm.name.text) }
                        return !names.contains("last")
                    }
                    return names
                }
                _ = try await client.createVM(with: newVM("first"))
                await store.depose(by: second.name)
                // The first finds out when it wants to store something, which it cannot any more.
                let ghost = try newVM("ghost")
                await problem(.notLeader) {
                    try await first.driver.runOnCluster { cluster, context throws(Problem) in
                        try cluster.createVM(from: ghost, in: &context)
                    }
                }
                try await store.resignLeadership(
                    of: Leader(
                        candidate: Candidate(name: second.name, apiAddress: ""),
                        term: try #require(try await store.currentLeader()).term))
                _ = try await client.createVM(with: newVM("last"))
                let names = try await follower.value
                #expect(Set(names) == ["first", "last"])
            }
        }
    }

    @Test("A controller that is ended gives way at once, long before its lease ends")
    func resigning() async throws {
        let cluster = try TestCluster()
        defer { cluster.remove() }
        let store = MemoryStore()
        let first = try TestController(
            "controller-1", of: cluster, store: NeverClosed(store), lease: .seconds(60))
        let second = try TestController(
            "controller-2", of: cluster, store: store, lease: .seconds(60))
        try await first.running { try await first.waitUntilReady() }
        let start = Instant.now
        try await second.running { try await second.waitUntilReady() }
        #expect(Instant.now - start < .seconds(10))
    }
}

/// One controller's end does not end the store of the other.
private struct NeverClosed: StateStore {
    let store: MemoryStore
    init(_ store: MemoryStore) { self.store = store }

    func readEntry(at key: StoreKey) async throws(StoreError) -> StoreEntry? {
        try await store.readEntry(at: key)
    }
    func listEntries(
        prefix: String, after: StoreKey?, limit: Int
    ) async throws(StoreError) -> StorePage {
        try await store.listEntries(prefix: prefix, after: after, limit: limit)
    }
    func commitTransaction(_ transaction: StoreTransaction) async throws(StoreError) -> Revision {
        try await store.commitTransaction(transaction)
    }
    func watchChanges(prefix: String, after: Revision) async throws(StoreError) -> any StoreWatch {
        try await store.watchChanges(prefix: prefix, after: after)
    }
    func acquireLeadership(for candidate: Candidate, lease: Duration) async throws(StoreError)
        -> Leader
    {
        try await store.acquireLeadership(for: candidate, lease: lease)
    }
    func renewLeadership(of leader: Leader) async throws(StoreError) {
        try await store.renewLeadership(of: leader)
    }
    func resignLeadership(of leader: Leader) async throws(StoreError) {
        try await store.resignLeadership(of: leader)
    }
    func currentLeader() async throws(StoreError) -> Leader? { try await store.currentLeader() }
    func compactChanges(before revision: Revision) async throws(StoreError) {
        try await store.compactChanges(before: revision)
    }
    func close() async {}
}
