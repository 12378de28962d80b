import API
import Foundation
import Host
import Model
import SimulatedAgents
import Testing

@Suite("Simulated hosts answer as agents do")
final class SimulatedHostsTests {
    private let a: HostName
    private let b: HostName
    private let start = Instant(nanoseconds: 1_000_000_000)
    private var hosts: SimulatedHosts

    init() throws {
        a = try HostName("host-a")
        b = try HostName("host-b")
        hosts = SimulatedHosts(
            [a, b], cores: 4, memoryBytes: 8 << 30,
            load: { _, _ in VMLoad(cpuCores: 0.5, memoryUsedBytes: 1 << 28, dirtyBytesPerSecond: 0)
            },
            migrationTime: { _ in .seconds(2) })
    }

    private func ask(
        _ method: String, _ uri: String, _ body: (some Encodable)?, on host: HostName,
        term: Int = 1, after: Duration = .zero
    ) throws -> AgentAnswer? {
        let bytes = try body.map { Array(try JSONEncoder().encode($0)) } ?? []
        return hosts.answerRequest(
            AgentRequest(method: method, uri: uri, term: "\(term)", body: bytes), on: host,
            now: start + after, unixMs: 0)
    }

    private func heartbeat(of host: HostName, after: Duration = .zero) -> Heartbeat? {
        hosts.nextHeartbeat(of: host, now: start + after)
    }

    private func read<Value: Decodable>(_ answer: AgentAnswer?) throws -> Value {
        try JSONDecoder().decode(Value.self, from: Data(try #require(answer).body))
    }

    private var web: CreateVM {
        get throws {
            CreateVM(
                VMSpec(name: try VMName("web"), memory: .gibibytes(1)),
                id: Identifier128(high: 1, low: 2), epoch: 1)
        }
    }

    private func problem(_ answer: AgentAnswer?) throws -> String {
        #expect(answer?.isProblem == true)
        return try (read(answer) as Problem).code
    }

    @Test("A create that comes twice makes one VM; another VM of the name is refused")
    func creates() throws {
        let first = try ask("POST", AgentRoutes.listVMs.requestPath(), try web, on: a)
        #expect(first?.status == 201)
        let again: VMInfo = try read(
            try ask("POST", AgentRoutes.listVMs.requestPath(), try web, on: a))
        #expect(try again == read(first))
        var other = try web
        other.id = .random()
        #expect(
            try problem(try ask("POST", AgentRoutes.listVMs.requestPath(), other, on: a))
                == "name_taken")
        let told = try #require(heartbeat(of: a))
        #expect(told.vms.map(\.ownership) == [.owned])
        #expect(told.cpuCores > 0.5)
    }

    @Test("Who heard a term obeys no lower one, and nobody without a term")
    func terms() throws {
        _ = try ask("POST", AgentRoutes.listVMs.requestPath(), try web, on: a, term: 5)
        let name = try web.spec.name
        #expect(
            try problem(
                try ask("DELETE", AgentRoutes.showVM.requestPath(at: name), web, on: a, term: 4))
                == "stale_term")
        let bare = hosts.answerRequest(
            AgentRequest(
                method: "DELETE", uri: AgentRoutes.showVM.requestPath(at: name), term: nil),
            on: a, now: start,
            unixMs: 0)
        #expect(try problem(bare) == "bad_request")
        #expect(
            try ask("DELETE", AgentRoutes.showVM.requestPath(at: name), web, on: a, term: 6)?.status
                == 204
        )
    }

    @Test(
        "A migration takes its time, is seen arriving, and ends with the VM there at the next epoch"
    )
    func migrations() throws {
        _ = try ask("POST", AgentRoutes.listVMs.requestPath(), try web, on: a)
        let move = StartMigration(vm: try web.spec.name, to: b, id: .random())
        let started: MigrationInfo = try read(
            try ask("POST", AgentRoutes.listMigrations.requestPath(), move, on: a))
        #expect(started.id == move.id)
        let again: MigrationInfo = try read(
            try ask("POST", AgentRoutes.listMigrations.requestPath(), move, on: a))
        #expect(again == started)
        let arriving = try #require(heartbeat(of: b, after: .seconds(1)))
        #expect(arriving.vms.map(\.ownership) == [.incoming])
        #expect(arriving.vms.first?.migration == started.id)

        let late = Duration.seconds(3)
        let there = try #require(heartbeat(of: b, after: late))
        #expect(there.vms.map(\.epoch) == [2])
        #expect(there.vms.map(\.ownership) == [.owned])
        // Told until it was heard.
        let left = try #require(heartbeat(of: a, after: late))
        #expect(left.vms.isEmpty)
        #expect(left.migrations.map(\.state) == [.succeeded])
        #expect(try #require(heartbeat(of: a, after: late)).migrations.count == 1)
        hosts.acknowledgeHeartbeat(left, of: a)
        #expect(try #require(heartbeat(of: a, after: late)).migrations.isEmpty)
    }

    @Test("What shall fail fails, once, in the way it was asked to")
    func failures() throws {
        hosts.failCommands(
            of: .create, on: a,
            with: [.refused(Problem(.notEnoughMemory, detail: "full")), .requestLost, .answerLost]
        )
        #expect(
            try problem(try ask("POST", AgentRoutes.listVMs.requestPath(), try web, on: a))
                == "not_enough_memory")
        #expect(try ask("POST", AgentRoutes.listVMs.requestPath(), try web, on: a) == nil)
        #expect(heartbeat(of: a)?.vms.isEmpty == true)
        #expect(try ask("POST", AgentRoutes.listVMs.requestPath(), try web, on: a) == nil)
        #expect(heartbeat(of: a)?.vms.count == 1)

        hosts.failCommands(of: .migrate, on: a, with: [.failsLater(.peerSilent)])
        let move = StartMigration(vm: try web.spec.name, to: b)
        _ = try ask("POST", AgentRoutes.listMigrations.requestPath(), move, on: a)
        let after = try #require(heartbeat(of: a, after: .seconds(3)))
        #expect(after.migrations.map(\.failure?.code) == ["peer_silent"])
        #expect(after.vms.map(\.epoch) == [1])
        #expect(heartbeat(of: b, after: .seconds(3))?.vms.isEmpty == true)
    }
}
