// A controller in this process, with real TLS on loopback, a store of the test's and agents that only talk.

import API
import Clients
import ClusterFile
import ClusterCore
import Controller
import Foundation
import Host
import Keys
import Logging
import Model
import ServiceLifecycle
import Serving
import Synchronization
import Testing

/// Takes commands and answers as the test says; remembers them.
final class TestExecutor: CommandExecutor {
    private let taken = Mutex<[AgentCommand]>([])
    private let answer: @Sendable (AgentCommand) async -> CommandResult

    init(
        _ answer: @escaping @Sendable (AgentCommand) async -> CommandResult = { _ in
            .unanswered("nobody is there")
        }
    ) { self.answer = answer }

    var commands: [AgentCommand] { taken.withLock { $0 } }

    func executeCommand(_ command: AgentCommand, inTerm term: Term) async -> CommandResult {
        taken.withLock { $0.append(command) }
        return await answer(command)
    }
}

/// Keys and a place for them.
struct TestCluster {
    let folder: String
    let authority: ClusterAuthority
    let name: ClusterName

    init() throws {
        folder = "\(NSTemporaryDirectory())ferry-controller-\(UInt64.random(in: .min ... .max))"
        try Folder.createFolder(at: folder, mode: 0o700)
        name = try ClusterName("test")
        authority = try ClusterAuthority(cluster: name)
        for (role, names): (Role, [String]) in [
            (.operator, ["admin"]), (.controller, ["controller-1", "controller-2", "other"]),
            (.agent, ["host-a", "host-b", "host-c"]),
        ] {
            for holder in names {
                try authority.issueCertificate(
                    as: role, name: HostName(holder), to: KeyFolder(keys(role, holder)))
            }
        }
    }

    func keys(_ role: Role, _ name: String) -> String { "\(folder)/keys/\(role.rawValue)-\(name)" }

    func remove() { try? Folder.removeRecursively(at: folder) }
}

/// One controller of a test cluster.
struct TestController: Sendable {
    let cluster: TestCluster
    let name: HostName
    let address: HostAddress
    let store: any StateStore
    let driver: ClusterDriver
    let executor: TestExecutor
    let metrics: ControllerMetrics
    let api: ControllerAPI
    private let leadership: Leadership

    init(
        _ name: String, of cluster: TestCluster, store: any StateStore,
        executor: TestExecutor = TestExecutor(), lease: Duration = .seconds(5)
    ) throws {
        self.cluster = cluster
        self.name = try HostName(name)
        self.store = store
        self.executor = executor
        address = HostAddress(
            cluster: cluster.name, role: .controller, name: self.name, ip: "127.0.0.1",
            port: Int(try Self.freePort()))
        var logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        logger.logLevel = .critical
        metrics = ControllerMetrics()
        driver = ClusterDriver(
            store: store, settings: ControlSettings(cluster: cluster.name),
            commands: CommandRunner(executor: executor), metrics: metrics, logger: logger)
        leadership = Leadership(
            store: store,
            candidate: Candidate(name: self.name, apiAddress: "127.0.0.1:\(address.port)"),
            lease: lease, driver: driver, logger: logger)
        api = try ControllerAPI(
            cluster: cluster.name, name: self.name, policy: "worst-fit", driver: driver,
            store: store, metrics: metrics)
    }

    private static func freePort() throws -> UInt16 {
        let socket = try TCPSocket.openListener(on: SocketAddress(ip: "127.0.0.1", port: 0))
        return try TCPSocket.boundPort(of: socket)
    }

    /// Runs it while `body` runs; ends it in good order.
    func running<Value: Sendable>(
        _ body: @Sendable () async throws -> Value
    ) async throws -> Value {
        var logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        logger.logLevel = .critical
        let server = try APIServer(
            router: api.router, at: SocketAddress(ip: "127.0.0.1", port: UInt16(address.port)),
            keys: KeyFolder(cluster.keys(.controller, name.text)), clients: .optional,
            connectionsMax: 512, logger: logger)
        let group = ServiceGroup(
            configuration: ServiceGroupConfiguration(
                services: [leadership, server.application], logger: logger))
        return try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await group.run() }
            do {
                let value = try await body()
                await group.triggerGracefulShutdown()
                try await tasks.waitForAll()
                return value
            } catch {
                await group.triggerGracefulShutdown()
                throw error
            }
        }
    }

    /// A cluster with one controller, which leads, and the operator's client.
    static func with<Value: Sendable>(
        store: any StateStore = MemoryStore(), executor: TestExecutor = TestExecutor(),
        _ body: @Sendable (TestController, ControllerClient) async throws -> Value
    ) async throws -> Value {
        let cluster = try TestCluster()
        defer { cluster.remove() }
        let controller = try TestController(
            "controller-1", of: cluster, store: store, executor: executor)
        return try await controller.running {
            try await controller.waitUntilReady()
            return try await controller.client { try await body(controller, $0) }
        }
    }

    func waitUntilReady() async throws {
        let end = Instant.now + .seconds(20)
        while Instant.now < end {
            if await driver.term != nil,
                (try? await client { try await $0.sendRawRequest(method: "GET", path: "/readyz") })
                    != nil
            {
                return
            }
            try await Task.sleep(for: .milliseconds(20))
        }
        throw TestFailure("it never leads")
    }

    /// Calls with a client; without keys, the operator's.
    func client<Value: Sendable>(
        _ access: Access? = nil, of others: [TestController] = [],
        _ body: (ControllerClient) async throws -> Value
    ) async throws -> Value {
        let client = try ControllerClient(
            controllers: [address] + others.map(\.address),
            access: access ?? .keys(folder: cluster.keys(.operator, "admin")))
        do {
            let value = try await body(client)
            await client.shutdown()
            return value
        } catch {
            await client.shutdown()
            throw error
        }
    }

    func agent<Value: Sendable>(
        _ name: String = "host-a", _ body: (ControllerClient) async throws -> Value
    ) async throws -> Value {
        try await client(.keys(folder: cluster.keys(.agent, name)), body)
    }

    /// A host that is there, and says so.
    func join(_ name: String = "host-a") async throws {
        _ = try await agent(name) { agent in
            let id = Identifier128.random()
            _ = try await agent.registerAgent(of: HostName(name), with: registration(id))
            return try await agent.sendHeartbeat(
                of: HostName(name),
                with: Heartbeat(
                    agentID: id, sequence: 1, cpuCores: 0.5, memoryUsedBytes: 1 << 30, vms: []))
        }
    }

    var authorityFile: String { "\(cluster.keys(.operator, "admin"))/ca.pem" }
}

struct TestFailure: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}

func registration(_ id: Identifier128 = .random()) -> HostRegistration {
    HostRegistration(
        agentID: id, agentVersion: "1", apiAddress: "127.0.0.1:1", peerAddress: "127.0.0.1:2",
        cores: 16, memoryBytes: 64 << 30, memoryReserveBytes: 0, cpuFeatures: [])
}

func newVM(_ name: String, _ change: (inout CreateClusterVM) -> Void = { _ in }) throws
    -> CreateClusterVM
{
    var vm = CreateClusterVM(VMSpec(name: try VMName(name), memory: .gibibytes(1)))
    change(&vm)
    return vm
}

/// The problem that a request ends with; fails the test when it ends otherwise.
func problem<Value>(
    _ code: Problem.Code, sourceLocation: SourceLocation = #_sourceLocation,
    _ request: () async throws -> Value
) async {
    do {
        _ = try await request()
        Issue.record("it was not refused", sourceLocation: sourceLocation)
    } catch let ClientError.problem(problem, _) {
        #expect(problem.knownCode == code, sourceLocation: sourceLocation)
        #expect(problem.status == code.status, sourceLocation: sourceLocation)
        #expect(!problem.detail.isEmpty, sourceLocation: sourceLocation)
    } catch let problem as Problem {
        #expect(problem.knownCode == code, sourceLocation: sourceLocation)
    } catch {
        Issue.record("\(error)", sourceLocation: sourceLocation)
    }
}
