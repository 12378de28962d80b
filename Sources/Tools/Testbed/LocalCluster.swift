// A cluster of real agents, and controllers where wanted, on this machine's loopback: for the demo, the bench and tests.

package import API
package import Clients
import ClusterFile
import Foundation
package import Host
package import Model
import Synchronization

/// What the testbed could not do.
package struct TestbedError: Error, CustomStringConvertible {
    package let description: String
    package init(_ description: String) { self.description = description }
}

/// Controllers of a temporary cluster: none, unless they are named.
package struct LocalControl: Sendable {
    package var controllers: [String]
    /// Lines of the cluster file, for `store:` and `control:`.
    package var configuration: String

    package init(
        controllers: [String] = [],
        configuration: String = "control:\n  heartbeat: 1s\n  host-lease: 8s\n"
    ) {
        self.controllers = controllers
        self.configuration = configuration
    }
}

/// Agents on loopback. Call `end` when done: it stops agents and VMs.
package final class LocalCluster: Sendable {
    package let hosts: [HostName]
    package let controllers: [HostName]
    package let client: ClusterClient
    /// Nil where there are no controllers.
    package let controller: ControllerClient?
    /// Where `ferry` runs.
    package let folder: String
    private let file: ClusterFile
    /// Made on request; they end with the cluster.
    private let extraClients = Mutex<[ControllerClient]>([])
    private let isTemporary: Bool
    /// For `ferry`, beside this program's own.
    private let environment: [String: String]

    /// Agents on free ports, in a folder of their own that `end` removes.
    package static func startTemporary(
        hosts names: [String] = ["host-a", "host-b", "host-c"],
        control: LocalControl = LocalControl()
    ) async throws -> LocalCluster {
        let folder = FileManager.default.temporaryDirectory.path + "/ferry-\(UUID())"
        try FileManager.default.createDirectory(
            atPath: folder, withIntermediateDirectories: true,
            attributes: [.posixPermissions: 0o700])
        return try await startTemporary(
            configuration: makeConfiguration(hosts: names, control: control, folder: folder),
            folder: folder)
    }

    /// The same with a cluster file of the caller's, in a folder of the caller's that `end` removes.
    /// - Parameter environment: for `ferry`, beside this program's own.
    package static func startTemporary(
        configuration: String, folder: String, environment: [String: String] = [:]
    ) async throws -> LocalCluster {
        do {
            let path = folder + "/cluster.yaml"
            try configuration.write(toFile: path, atomically: true, encoding: .utf8)
            return try await startCluster(
                file: path, folder: folder, isTemporary: true, environment: environment)
        } catch {
            // The first error is the one to tell.
            try? FileManager.default.removeItem(atPath: folder)
            throw error
        }
    }

    /// Runs `ferry up` with a cluster file.
    package static func startCluster(
        file path: String, folder: String, isTemporary: Bool = false,
        environment: [String: String] = [:]
    ) async throws -> LocalCluster {
        do { try await startAgents(file: path, folder: folder, environment: environment) } catch {
            // What did start is stopped; the first error is the one to tell.
            _ = try? await FerryCommand.runFerry(
                arguments: ["down", "--cluster", path], folder: folder)
            throw error
        }
        let file = try ClusterFile(loading: path, relativeTo: folder)
        return try LocalCluster(
            file: file, folder: folder, isTemporary: isTemporary, environment: environment)
    }

    private init(
        file: ClusterFile, folder: String, isTemporary: Bool, environment: [String: String]
    ) throws {
        self.file = file
        self.folder = folder
        self.isTemporary = isTemporary
        self.environment = environment
        hosts = file.hosts.map(\.name)
        controllers = file.controllers.map(\.name)
        let keys = try Self.operatorKeysFolder(in: file)
        client = try ClusterClient(
            hosts: file.hosts.map {
                HostAddress(
                    cluster: file.cluster, name: $0.name, ip: $0.api.ip, port: Int($0.api.port))
            }, keysFolder: keys)
        let addresses = file.controllers.map { Self.controllerAddress(of: $0, in: file) }
        controller =
            addresses.isEmpty
            ? nil : try ControllerClient(controllers: addresses, access: .keys(folder: keys))
    }

    private static func operatorKeysFolder(in file: ClusterFile) throws -> String {
        file.keysFolder(for: .operator, named: try HostName("admin"))
    }

    private static func controllerAddress(
        of controller: ClusterFile.Controller, in file: ClusterFile
    ) -> HostAddress {
        HostAddress(
            cluster: file.cluster, role: .controller, name: controller.name, ip: controller.api.ip,
            port: Int(controller.api.port))
    }

    /// A client that asks this controller alone, whoever leads.
    package func makeControllerClient(for name: HostName) throws -> ControllerClient {
        guard let controller = file.findController(named: name) else {
            throw TestbedError("no controller \(name)")
        }
        let client = try ControllerClient(
            controllers: [Self.controllerAddress(of: controller, in: file)],
            access: .keys(folder: try Self.operatorKeysFolder(in: file)), patience: .zero)
        extraClients.withLock { $0.append(client) }
        return client
    }

    /// The process of a controller, which holds the lock of its folder.
    package func controllerProcess(named name: HostName) throws -> ProcessHandle {
        let path = "\(file.controllerFolder(of: name))/lock"
        let text = try String(contentsOfFile: path, encoding: .utf8)
        guard let id = Int32(text.trimmingCharacters(in: .whitespacesAndNewlines)) else {
            throw TestbedError("\(path) names no process")
        }
        return try ProcessHandle(id)
    }

    /// Starts a controller that has ended, and does not wait until it leads.
    package func startController(named name: HostName) throws -> ControllerProcess {
        try ControllerProcess.startController(
            named: name, file: file.path, log: "\(file.controllerFolder(of: name))/controller.log")
    }

    /// Whether an agent of a cluster file answers already.
    package static func isClusterRunning(file path: String, folder: String) async throws -> Bool {
        let file = try ClusterFile(loading: path, relativeTo: folder)
        return file.hosts.contains { host in
            // Nobody there is the usual answer.
            (try? TCPSocket.openConnection(to: host.api, within: .seconds(1))) != nil
        }
    }

    /// Ends a VM and forgets it, wherever it is.
    package func deleteVMEverywhere(_ vm: VMName) async throws {
        for place in await whereabouts(of: vm) {
            try await agentClient(for: place.host).deleteVM(named: vm)
        }
    }

    /// Starts the agents that do not run.
    package func startAgents() async throws {
        try await Self.startAgents(file: file.path, folder: folder, environment: environment)
    }

    private static func startAgents(
        file path: String, folder: String, environment: [String: String]
    ) async throws {
        let up = try await FerryCommand.runFerry(
            arguments: ["up", path], folder: folder, environment: environment)
        guard up.exitCode == 0 else { throw TestbedError("ferry up: \(up.errors)") }
    }

    /// Runs `ferry` in this cluster.
    package func runFerry(_ arguments: String...) async throws -> FerryCommand.Result {
        try await FerryCommand.runFerry(
            arguments: arguments + ["--cluster", file.path], folder: folder)
    }

    package func agentClient(for host: HostName) throws -> AgentClient {
        guard let agent = client.agentClient(named: host) else {
            throw TestbedError("no host \(host)")
        }
        return agent
    }

    /// The folder where a host keeps one VM: its sockets, logs and records.
    package func vmStateFolder(of vm: VMName, on host: HostName) -> String {
        "\(stateFolder(of: host))/vms/\(vm)"
    }

    /// A host's ledger: for tests that write one by hand while its agent is down.
    package func ledgerPath(of host: HostName) -> String { "\(stateFolder(of: host))/ledger" }

    /// Where a host's agent keeps everything.
    package func stateFolder(of host: HostName) -> String { file.stateFolder(of: host) }

    /// Where a host takes migrations.
    package func peerAddress(of host: HostName) throws -> SocketAddress {
        guard let member = file.findHost(named: host) else { throw TestbedError("no host \(host)") }
        return member.peer
    }

    /// The folder of an agent's certificate and key.
    package func keysFolder(of host: HostName) -> String {
        file.keysFolder(for: .agent, named: host)
    }

    /// Moves a VM and waits for the outcome.
    package func migrateVM(
        _ vm: VMName, from source: HostName, to destination: HostName, streams: Int? = nil,
        pageCompression compression: Compression? = nil, downtimeLimit: DowntimeLimit? = nil
    ) async throws -> MigrationInfo {
        let agent = try agentClient(for: source)
        let started = try await agent.startMigration(
            with: StartMigration(
                vm: vm, to: destination, downtimeLimit: downtimeLimit, streams: streams,
                compression: compression))
        return try await agent.followMigration(withID: started.id) { _ in }
    }

    /// Every place where the VM is said to be, with its state there. Hosts that do not answer have none.
    package func whereabouts(of vm: VMName) async -> [VMInfo] {
        var found: [VMInfo] = []
        for agent in client.agents {
            // A host that does not answer is one of the things that tests do to a cluster.
            let vms = (try? await agent.listAllVMs()) ?? []
            found += vms.filter { $0.name == vm }
        }
        return found
    }

    package func tearDown() async throws {
        try await stopAllProcesses()
        if isTemporary { try removeFolder() }
    }

    /// The first half of `end`: what is on disk stays.
    package func stopAllProcesses() async throws {
        let down = try await runFerry("down")
        await client.shutdown()
        await controller?.shutdown()
        for client in extraClients.withLock({ $0 }) { await client.shutdown() }
        guard down.exitCode == 0 else { throw TestbedError("ferry down: \(down.errors)") }
    }

    /// The second.
    package func removeFolder() throws { try FileManager.default.removeItem(atPath: folder) }

    private static func makeConfiguration(
        hosts names: [String], control: LocalControl, folder: String
    ) throws -> String {
        let ports = try findFreePorts(count: names.count * 2 + control.controllers.count)
        let hosts = names.indices.map { index in
            """
              - name: \(names[index])
                api: 127.0.0.1:\(ports[index])
                peer: 127.0.0.1:\(ports[names.count + index])
                cpu-overcommit: 16

            """
        }
        let controllers = zip(control.controllers, ports[(names.count * 2)...]).map { name, port in
            "  - name: \(name)\n    api: 127.0.0.1:\(port)\n"
        }
        let controllerPart =
            controllers.isEmpty
            ? "" : "controllers:\n\(controllers.joined())\(control.configuration)"
        return """
            cluster: testbed
            state-folder: \(folder)/state
            keys-folder: \(folder)/keys
            memory-reserve: 64MiB
            \(controllerPart)
            hosts:
            \(hosts.joined())
            """
    }

    /// Ports that are free now, all different.
    private static func findFreePorts(count: Int) throws -> [UInt16] {
        let listeners = try (0..<count).map { _ in
            try TCPSocket.openListener(on: SocketAddress(ip: "127.0.0.1", port: 0))
        }
        return try listeners.map { try TCPSocket.boundPort(of: $0) }
    }
}
