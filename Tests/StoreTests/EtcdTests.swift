// What is the etcd store's alone: leases, several clients and members, and an etcd that comes and goes.

import ClusterCore
import Host
import MigrationTestSupport
import Model
import Store
import StoreTestSupport
import Testing

@Suite(
    "The etcd store and a real etcd", .serialized, .timeLimit(.minutes(2)),
    .enabled(if: TestEtcd.isInstalled, Comment(rawValue: TestEtcd.whySkipped)))
struct EtcdTests {
    @Test("A second candidate waits, and leads as soon as the first resigns")
    func resignation() async throws {
        try await withPlace { place in
            let (first, second) = (try await place.open(), try await place.open())
            let old = try await first.acquireLeadership(for: candidate("a"), lease: .seconds(60))
            let waiting = Task {
                try await second.acquireLeadership(for: candidate("b"), lease: .seconds(60))
            }
            try await first.renewLeadership(of: old)
            #expect(try await second.currentLeader() == old)
            let took = try await ContinuousClock().measure {
                try await first.resignLeadership(of: old)
                _ = try await waiting.value
            }
            #expect(took < .seconds(1))
            let new = try await waiting.value
            #expect(new.term > old.term)
            try await expectDeposed(old, first)
            try await second.renewLeadership(of: new)
        }
    }

    @Test("Who renews its lease keeps it; who stops is followed by another, and deposed")
    func leaseEnd() async throws {
        try await withPlace { place in
            let (first, second) = (try await place.open(), try await place.open())
            let lease = Duration.seconds(2)
            let old = try await first.acquireLeadership(for: candidate("a"), lease: lease)
            let waiting = Task {
                try await second.acquireLeadership(for: candidate("b"), lease: lease)
            }
            let clock = ContinuousClock()
            // Twice as long as the lease.
            for _ in 0..<8 {
                try await clock.sleep(for: .milliseconds(500))
                try await first.renewLeadership(of: old)
            }
            try await first.commit(.put("a", "1"), term: old.term)
            #expect(try await second.currentLeader() == old)

            let took = try await clock.measure { _ = try await waiting.value }
            #expect(took < lease + .seconds(2))
            try await expectDeposed(old, first)
            let new = try await waiting.value
            try await second.commit(.put("a", "2"), term: new.term)
            #expect(try await first.texts("") == ["a=2"])
        }
    }

    @Test("Of many candidates one leads at a time, and each in its turn")
    func manyCandidates() async throws {
        try await withPlace { place in
            let terms = try await withThrowingTaskGroup(of: Term.self) { group in
                for index in 0..<6 {
                    let store = try await place.open()
                    group.addTask {
                        let leader = try await store.acquireLeadership(
                            for: candidate("c\(index)"), lease: .seconds(30))
                        // Fails when two lead at once.
                        try await store.commit(
                            .put("lock", "\(index)"), when: [.absent(StoreKey("lock"))],
                            term: leader.term)
                        try await store.commit(.delete("lock"), term: leader.term)
                        try await store.resignLeadership(of: leader)
                        return leader.term
                    }
                }
                return try await group.reduce(into: Set()) { $0.insert($1) }
            }
            #expect(terms.count == 6)
        }
    }

    @Test("A campaign that is cancelled ends, and takes no place")
    func cancelledCampaign() async throws {
        try await withPlace { place in
            let (first, second) = (try await place.open(), try await place.open())
            let leader = try await first.acquireLeadership(for: candidate("a"), lease: .seconds(60))
            let waiting = Task {
                try await second.acquireLeadership(for: candidate("b"), lease: .seconds(60))
            }
            waiting.cancel()
            let error = await #expect(throws: StoreError.self) { try await waiting.value }
            #expect(error == .closed)
            try await first.resignLeadership(of: leader)
            #expect(try await first.currentLeader() == nil)
            _ = try await first.acquireLeadership(for: candidate("a"), lease: .seconds(60))
        }
    }

    @Test("While etcd is gone calls fail; when it is back, watches, leaders and commits go on")
    func killedEtcd() async throws {
        let etcd = try TestEtcd()
        try await withPlace(etcd) { place in
            let store = try await place.open()
            let leader = try await store.acquireLeadership(for: candidate("a"), lease: .seconds(60))
            let watch = try await store.watchChanges(prefix: "", after: store.present())
            try await store.commit(.put("a", "1"), term: leader.term)
            #expect(try await watch.nextBatch()?.changes == [.put("a", "1")])
            let waiting = Task { try await watch.next(2) }

            etcd.kill()
            // The first call may meet the connection that was cut, and then cannot know.
            await #expect(throws: StoreError.self) { try await store.commit(.put("a", "lost")) }
            for _ in 0..<2 {
                let error = await #expect(throws: StoreError.self) {
                    try await store.commit(.put("a", "lost"))
                }
                guard case .unavailable = error else {
                    Issue.record("\(String(describing: error))")
                    continue
                }
            }
            await expectUnavailable { _ = try await store.readEntry(at: StoreKey("a")) }
            await expectUnavailable { try await store.renewLeadership(of: leader) }

            try etcd.start()
            try await store.renewLeadership(of: leader)
            #expect(try await store.texts("") == ["a=1"])
            let second = try await store.commit(.put("a", "2"), term: leader.term)
            let third = try await store.commit(.delete("a"), term: leader.term)
            #expect(
                try await waiting.value == [
                    StoreBatch(revision: second, changes: [.put("a", "2")]),
                    StoreBatch(revision: third, changes: [.delete("a")]),
                ])
        }
    }

    @Test("What came of a commit without an answer nobody knows, and its term is over")
    func pausedEtcd() async throws {
        let etcd = try TestEtcd()
        try await withPlace(etcd) { place in
            let store = try await place.open()
            let old = try await store.acquireLeadership(for: candidate("a"), lease: .seconds(60))
            try await store.commit(.put("a", "1"), term: old.term)
            etcd.pause()
            let error = await #expect(throws: StoreError.self) {
                try await store.commit(.put("a", "2"), term: old.term)
            }
            etcd.resume()
            guard case .outcomeUnknown = error else {
                Issue.record("\(String(describing: error))")
                return
            }
            try await expectDeposed(old, store)
            try await store.resignLeadership(of: old)
            let new = try await store.acquireLeadership(for: candidate("a"), lease: .seconds(60))
            try await store.commit(.put("a", "3"), term: new.term)
            #expect(try await store.text("a") == "3")
        }
    }

    @Test("With a dead member among them, calls and watches find the living one")
    func deadMember() async throws {
        let dead = try TestEtcd()
        dead.kill()
        let alive = try TestEtcd.shared.get()
        try await withPlace(alive) { place in
            for endpoints in [[dead.url, alive.url], [alive.url, dead.url]] {
                let store = try await place.open(endpoints: endpoints)
                let watch = try await store.watchChanges(prefix: "", after: store.present())
                let leader = try await store.acquireLeadership(
                    for: candidate("a"), lease: .seconds(10))
                let revision = try await store.commit(.put("a", "1"), term: leader.term)
                #expect(try await watch.nextBatch()?.revision == revision)
                try await store.resignLeadership(of: leader)
            }
            let store = try await place.open(endpoints: [dead.url])
            await expectUnavailable { _ = try await store.readEntry(at: StoreKey("a")) }
        }
    }

    @Test("etcd with TLS takes clients with a certificate of its authority, and nobody else")
    func certificates() async throws {
        let keys = try TestKeys()
        try keys.makeAuthority("stranger")
        let etcd = try TestEtcd(keysFolder: keys.issue("etcd", ip: "127.0.0.1"))
        try await withPlace(etcd) { place in
            let client = try keys.issue("controller")
            let store = try await place.open(endpoints: [etcd.url], keysFolder: client)
            let watch = try await store.watchChanges(prefix: "", after: store.present())
            let revision = try await store.commit(.put("a", "1"))
            #expect(try await watch.nextBatch()?.revision == revision)

            let strangers = [
                nil,
                // Trusts the wrong authority; is of the wrong authority.
                try keys.issue("controller", trusting: "stranger"),
                try keys.issue("controller", by: "stranger"),
            ]
            for stranger in strangers {
                let store = try await place.open(endpoints: [etcd.url], keysFolder: stranger)
                await expectUnavailable { _ = try await store.readEntry(at: StoreKey("a")) }
            }
            #expect(throws: StoreError.self) {
                try EtcdStore(
                    endpoints: [etcd.url], cluster: ClusterName("c"), keysFolder: "/nowhere")
            }
        }
    }

    @Test("Clusters in one etcd do not see each other")
    func clusters() async throws {
        let etcd = try TestEtcd.shared.get()
        func store(_ name: String) throws -> EtcdStore {
            try EtcdStore(endpoints: [etcd.url], cluster: ClusterName(name))
        }
        let (first, second) = (try store("north"), try store("north-1"))
        let watch = try await first.watchChanges(prefix: "", after: first.present())
        let leader = try await first.acquireLeadership(for: candidate("a"), lease: .seconds(30))
        let other = try await second.acquireLeadership(for: candidate("a"), lease: .seconds(30))
        try await second.commit(.put("a", "second"), term: other.term)
        try await first.commit(.put("a", "first"), term: leader.term)
        #expect(try await first.texts("") == ["a=first"])
        #expect(try await second.texts("") == ["a=second"])
        #expect(try await watch.nextBatch()?.changes == [.put("a", "first")])
        for (store, leader) in [(first, leader), (second, other)] {
            try await store.resignLeadership(of: leader)
            await store.close()
        }
    }

    @Test("A watch in which nothing happens is not overtaken by compaction, and misses nothing")
    func silentWatch() async throws {
        let etcd = try TestEtcd()
        try await withPlace(etcd) { place in
            let store = try await place.open(
                endpoints: [etcd.url], watchSilence: .milliseconds(200))
            try await store.commit(.put("vms/a", "1"), .put("vms/b", "1"))
            let watch = try await store.watchChanges(prefix: "vms/", after: store.present())
            let waiting = Task { try await watch.nextBatch() }
            for count in 0..<5 {
                let revision = try await store.commit(.put("hosts/a", "\(count)"))
                // Until the watch has been silent and was opened anew.
                try await ContinuousClock().sleep(for: .milliseconds(500))
                try await store.compactChanges(before: revision)
            }
            let revision = try await store.commit(.delete("vms/a"))
            #expect(
                try await waiting.value
                    == StoreBatch(revision: revision, changes: [.delete("vms/a")]))
        }
    }

    @Test("What is no etcd, or breaks off, is told by kind")
    func otherServers() async throws {
        let answers = [
            "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello",
            "HTTP/1.1 404 Not Found\r\ncontent-length: 5\r\n\r\nhello",
            "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n{\"kvs\":1}",
        ]
        for answer in answers {
            let server = try FixedServer(answer: answer)
            let store = try EtcdStore(
                endpoints: ["http://\(server.address)"], cluster: ClusterName("c"))
            let read = await #expect(throws: StoreError.self) {
                try await store.readEntry(at: StoreKey("a"))
            }
            guard case .unusable = read else {
                Issue.record("\(String(describing: read))")
                continue
            }
            await expectUnknown { try await store.commit(.put("a", "1")) }
            await store.close()
        }
        let server = try FixedServer(answer: "")
        let store = try EtcdStore(
            endpoints: ["http://\(server.address)"], cluster: ClusterName("c"))
        await expectUnavailable { _ = try await store.readEntry(at: StoreKey("a")) }
        await expectUnknown { try await store.commit(.put("a", "1")) }
        await store.close()
    }

    private func withPlace(
        _ etcd: TestEtcd? = nil, _ body: (EtcdPlace) async throws -> Void
    ) async throws {
        let place = try EtcdPlace(etcd ?? TestEtcd.shared.get())
        do { try await body(place) } catch { Issue.record(error) }
        await place.end()
    }

    private func expectUnavailable(_ body: () async throws -> Void) async {
        let error = await #expect(throws: StoreError.self) { try await body() }
        guard case .unavailable = error else {
            Issue.record("\(String(describing: error))")
            return
        }
    }

    private func expectUnknown(_ body: () async throws -> Void) async {
        let error = await #expect(throws: StoreError.self) { try await body() }
        guard case .outcomeUnknown = error else {
            Issue.record("\(String(describing: error))")
            return
        }
    }
}
