import API
import Clients
import ClusterCore
import Controller
import Foundation
import Host
import Logging
import Model
import Testing

@Suite("The driver: what is answered is stored, and what is not certain is read again")
struct DriverTests {
    /// A driver that leads.
    private struct Rig {
        let store = MemoryStore()
        let driver: ClusterDriver
        let executor: TestExecutor
        let term: Term

        init(_ executor: TestExecutor = TestExecutor()) async throws {
            self.executor = executor
            driver = Self.driver(store, executor)
            let leader = try await store.acquireLeadership(
                for: Candidate(name: HostName("a"), apiAddress: "127.0.0.1:1"), lease: .seconds(60))
            term = leader.term
            try await driver.beginLeading(inTerm: term, leaseEnd: BootClock.now + .seconds(60))
        }

        static func driver(_ store: MemoryStore, _ executor: TestExecutor) -> ClusterDriver {
            ClusterDriver(
                store: store,
                settings: ControlSettings(cluster: (try? ClusterName("test"))!),
                commands: CommandRunner(executor: executor), metrics: ControllerMetrics(),
                logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        }

        func create(_ name: String) async throws {
            let request = try newVM(name)
            _ = try await driver.runOnCluster { cluster, context throws(Problem) in
                try cluster.createVM(from: request, in: &context)
            }
        }

        func names() async throws -> [String] {
            try await driver.runOnCluster { cluster, _ in
                cluster.listVMs(after: nil, limit: 1000).items.map(\.name.text)
            }
        }

        /// A host that can take VMs.
        func join() async throws {
            let id = Identifier128.random()
            let (name, registration) = (try HostName("host-a"), registration(id))
            _ = try await driver.runOnCluster { cluster, context throws(Problem) in
                try cluster.registerHost(named: name, as: registration, in: &context)
            }
            let heartbeat = Heartbeat(
                agentID: id, sequence: 1, cpuCores: 0, memoryUsedBytes: 0, vms: [])
            _ = try await driver.runOnCluster { cluster, context throws(Problem) in
                try cluster.receiveHeartbeat(heartbeat, from: name, in: &context)
            }
        }
    }

    @Test("Everything that waits is one commit, and nobody is answered before it")
    func batch() async throws {
        let rig = try await Rig()
        await rig.store.hold()
        let before = await rig.store.commits
        let first = Task { try await rig.create("first") }
        await rig.store.waitForHeldCommit()
        let others = (0..<20).map { index in Task { try await rig.create("vm-\(index)") } }
        // They wait behind the commit that is held, in any order; this behind them all.
        while await rig.driver.waiting < 20 { await Task.yield() }
        let last = Task { try await rig.names() }
        while await rig.driver.waiting < 21 { await Task.yield() }
        #expect(await rig.store.commits == before)
        await rig.store.release()
        _ = try await first.value
        for other in others { _ = try await other.value }
        #expect(try await last.value.count == 21)
        #expect(await rig.store.commits == before + 2)
    }

    @Test("What only reads is no commit")
    func reading() async throws {
        let rig = try await Rig()
        let before = await rig.store.commits
        _ = try await rig.names()
        #expect(await rig.store.commits == before)
    }

    @Test("A batch that the store refuses is told as such, and forgotten")
    func refused() async throws {
        let rig = try await Rig()
        try await rig.create("kept")
        await rig.store.next(.fail(.unavailable(reason: "a test")))
        await problem(.storeUnavailable) { try await rig.create("lost") }
        #expect(try await rig.names() == ["kept"])
        try await rig.create("lost")
        #expect(try await rig.names() == ["kept", "lost"])
    }

    @Test("When nobody knows whether a batch was stored, the store is asked")
    func unknown() async throws {
        let rig = try await Rig()
        await rig.store.next(.storedThen(.outcomeUnknown(reason: "a test")))
        await problem(.storeUnavailable) { try await rig.create("stored") }
        #expect(try await rig.names() == ["stored"])
    }

    @Test("A leader that was deposed stores nothing, answers nothing, and steps down")
    func deposed() async throws {
        let rig = try await Rig()
        try await rig.create("before")
        await rig.store.depose(by: try HostName("b"))
        let revision = await rig.store.latest
        await problem(.notLeader) { try await rig.create("after") }
        await problem(.notLeader) { try await rig.names() }
        #expect(await rig.store.latest == revision)
        #expect(await rig.driver.term == nil)
    }

    @Test("After its lease a leader answers nothing, though nobody told it")
    func leaseOver() async throws {
        let rig = try await Rig()
        await rig.driver.extendLease(inTerm: rig.term, until: BootClock.now)
        await problem(.notLeader) { try await rig.names() }
        // An answer that is ready only then is not given either.
        await rig.driver.extendLease(inTerm: rig.term, until: BootClock.now + .seconds(60))
        await rig.store.hold()
        let late = Task { try await rig.create("late") }
        await rig.store.waitForHeldCommit()
        await rig.driver.extendLease(inTerm: rig.term, until: BootClock.now)
        await rig.store.release()
        await problem(.notLeader) { try await late.value }
    }

    @Test("The next leader knows everything that was answered")
    func takeover() async throws {
        let rig = try await Rig()
        try await rig.join()
        for index in 0..<50 { try await rig.create("vm-\(index)") }
        let names = try await rig.names()
        let other = Rig.driver(rig.store, TestExecutor())
        await rig.store.depose(by: try HostName("b"))
        let leader = try #require(try await rig.store.currentLeader())
        try await other.beginLeading(inTerm: leader.term, leaseEnd: BootClock.now + .seconds(60))
        let seen = try await other.runOnCluster { cluster, _ in
            cluster.listVMs(after: nil, limit: 1000).items.map(\.name.text)
        }
        #expect(seen == names)
    }

    @Test("A command is sent only when what it follows from is stored")
    func commandsAfterCommit() async throws {
        let rig = try await Rig()
        try await rig.join()
        await rig.store.next(.fail(.unavailable(reason: "a test")))
        await problem(.storeUnavailable) { try await rig.create("lost") }
        #expect(rig.executor.commands.isEmpty)
        await rig.store.hold()
        let create = Task { try await rig.create("web") }
        await rig.store.waitForHeldCommit()
        #expect(rig.executor.commands.isEmpty)
        await rig.store.release()
        try await create.value
    }

    @Test("A record of a newer version is left alone: this controller does not lead")
    func newerSchema() async throws {
        let store = MemoryStore()
        await store.put(RecordSchema.key, Array(#"{"version":99}"#.utf8))
        let driver = Rig.driver(store, TestExecutor())
        let leader = try await store.acquireLeadership(
            for: Candidate(name: HostName("a"), apiAddress: "127.0.0.1:1"), lease: .seconds(60))
        do {
            try await driver.beginLeading(
                inTerm: leader.term, leaseEnd: BootClock.now + .seconds(60))
            Issue.record("it leads")
        } catch {
            guard case .unusable(let reason) = error else {
                Issue.record("\(error)")
                return
            }
            #expect(reason.contains("99"))
        }
    }

    @Test("Every record survives its way through the store")
    func codec() async throws {
        let rig = try await Rig()
        try await rig.join()
        let request = try newVM("web") { vm in
            vm.policy.groups = [GroupSpec(name: "g", kind: .affinity, scope: .rack, softWeight: 2)]
            vm.spec.commandLine = "quiet \"x\" ü"
            vm.policy.priority = -3
        }
        _ = try await rig.driver.runOnCluster { cluster, context throws(Problem) in
            try cluster.createVM(from: request, in: &context)
        }
        let entries = try await rig.store.listAllEntries(prefix: "").entries
        #expect(entries.contains { $0.key == RecordSchema.key })
        var kinds: Set<String> = []
        for entry in entries where entry.key != RecordSchema.key {
            let record = try #require(try RecordCodec.decodeRecord(from: entry))
            #expect(try RecordCodec.encodeRecord(record) == entry.value)
            kinds.insert(String(entry.key.text.prefix { $0 != "/" }))
        }
        #expect(kinds == ["hosts", "vms", "groups"])
    }
}
