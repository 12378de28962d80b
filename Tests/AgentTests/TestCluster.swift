// Real agents on loopback for tests: started as processes, ended with all that they started.

import API
import Clients
import ClusterFile
import Foundation
import Host
import Keys
import Model
import Testing
import VMControl

let kvmIsUsable = unsafe access("/dev/kvm", R_OK | W_OK) == 0

/// Ends a VM's process without its agent's doing.
func killProcess(of vm: VMInfo) throws {
    let process = try ProcessHandle(try #require(vm.processID))
    try process.sendSignal(SIGKILL)
    #expect(try process.waitForExit(within: .seconds(10)))
}

/// A cluster in a folder of its own.
final class TestCluster: Sendable {
    static let startLimit = Duration.seconds(30)

    let folder: String
    let file: ClusterFile
    let authority: ClusterAuthority

    /// Calls with a cluster whose agents answer; afterwards nothing of it is left.
    static func with(
        hosts: Int = 1, memoryReserve: String = "256MiB", controllers: Int = 0,
        _ body: (TestCluster) async throws -> Void
    ) async throws {
        let cluster = try TestCluster(
            hosts: hosts, memoryReserve: memoryReserve, controllers: controllers)
        do {
            for host in cluster.file.hosts { try await cluster.start(host.name) }
            try await body(cluster)
            cluster.tearDown()
        } catch {
            cluster.printLogs()
            cluster.tearDown()
            throw error
        }
    }

    private init(hosts: Int, memoryReserve: String, controllers: Int) throws {
        folder = "\(NSTemporaryDirectory())ferry-agent-\(UInt64.random(in: .min ... .max))"
        try Folder.createFolder(at: folder, mode: 0o700)
        var yaml = """
            cluster: test
            state-folder: \(folder)/state
            keys-folder: \(folder)/keys
            memory-reserve: \(memoryReserve)

            """
        if controllers > 0 { yaml += try Self.controllers(controllers) }
        yaml += "hosts:\n"
        for index in 0..<hosts {
            yaml += """
                  - name: host-\(Array("abc")[index])
                    api: 127.0.0.1:\(try Self.freePort())
                    peer: 127.0.0.1:\(try Self.freePort())

                """
        }
        try AtomicFile.writeBytes(Array(yaml.utf8), to: "\(folder)/cluster.yaml")
        file = try ClusterFile(loading: "\(folder)/cluster.yaml", relativeTo: folder)
        authority = try ClusterAuthority(cluster: file.cluster)
        try authority.writeKeyFiles(to: KeyFolder(file.authorityFolder))
        for host in file.hosts {
            try authority.issueCertificate(
                as: .agent, name: host.name,
                to: KeyFolder(file.keysFolder(for: .agent, named: host.name)))
        }
        try authority.issueCertificate(
            as: .operator, name: HostName("admin"), to: KeyFolder(operatorKeys))
    }

    private static func controllers(_ count: Int) throws -> String {
        var yaml = """
            control:
              heartbeat: 500ms
              host-lease: 2s
            store:
              kind: etcd
              endpoints: ["http://127.0.0.1:1"]
            controllers:

            """
        for number in 1...count {
            yaml += """
                  - name: controller-\(number)
                    api: 127.0.0.1:\(try freePort())

                """
        }
        return yaml
    }

    var operatorKeys: String { "\(folder)/keys/operator-admin" }

    private static func freePort() throws -> UInt16 {
        let socket = try TCPSocket.openListener(on: SocketAddress(ip: "127.0.0.1", port: 0))
        return try TCPSocket.boundPort(of: socket)
    }

    /// Calls with a client that has the operator's keys, or those of another folder.
    func client<Value>(
        keys: String? = nil, _ body: (ClusterClient) async throws -> Value
    ) async throws -> Value {
        let addresses = file.hosts.map {
            HostAddress(
                cluster: file.cluster, name: $0.name, ip: $0.api.ip, port: Int($0.api.port))
        }
        let client = try ClusterClient(hosts: addresses, keysFolder: keys ?? operatorKeys)
        do {
            let value = try await body(client)
            await client.shutdown()
            return value
        } catch {
            await client.shutdown()
            throw error
        }
    }

    /// Calls with the client of one host's agent.
    func agent<Value>(
        _ name: String = "host-a", keys: String? = nil,
        _ body: (AgentClient) async throws -> Value
    ) async throws -> Value {
        try await client(keys: keys) { client in
            try await body(try #require(client.agentClient(named: HostName(name))))
        }
    }

    private func log(_ host: HostName) -> String { "\(folder)/\(host).log" }
    func logText(_ host: String = "host-a") throws -> String {
        String(
            decoding: try File.readContents(at: "\(folder)/\(host).log", limit: 8 << 20),
            as: UTF8.self)
    }

    /// Starts an agent without waiting for it.
    func launch(_ host: HostName, config: String? = nil) throws -> ProcessHandle {
        try ProcessHandle(
            DetachedProcess.startProgram(
                at: ProgramFolder.path + "/ferry-agent",
                arguments: [
                    "--config", config ?? file.path, "--host", host.text, "--log-level", "debug",
                ],
                logPath: log(host)))
    }

    /// Starts an agent and waits until it answers.
    @discardableResult
    func start(_ host: HostName, config: String? = nil) async throws -> ProcessHandle {
        let process = try launch(host, config: config)
        let end = Instant.now + Self.startLimit
        while Instant.now < end {
            if (try? await agent(host.text, { try await $0.readHostInfo() })) != nil {
                return process
            }
            // Also the pause between two attempts.
            if try process.waitForExit(within: .milliseconds(50)) { break }
        }
        throw TestClusterError.agentDoesNotAnswer(host)
    }

    /// The process that holds the host's state folder.
    func process(of host: String = "host-a") throws -> ProcessHandle {
        let text = try File.readContents(at: "\(folder)/state/hosts/\(host)/lock", limit: 32)
        let number = Int32(String(decoding: text, as: UTF8.self).trimmingCharacters(in: .newlines))
        return try ProcessHandle(try #require(number))
    }

    /// Starts an agent that has another address for a host's peers than that host itself.
    func start(
        _ host: HostName, seeing other: HostName, at address: SocketAddress
    ) async throws {
        let real = try #require(file.findHost(named: other)).peer
        let path = "\(folder)/cluster-of-\(host).yaml"
        let text = String(
            decoding: try File.readContents(at: file.path, limit: 1 << 20), as: UTF8.self)
        try AtomicFile.writeBytes(
            Array(text.replacingOccurrences(of: "peer: \(real)", with: "peer: \(address)").utf8),
            to: path)
        try await start(host, config: path)
    }

    /// Starts an agent whose cluster file does not have another host.
    func start(_ host: HostName, without other: HostName) async throws {
        let path = "\(folder)/cluster-of-\(host).yaml"
        let text = String(
            decoding: try File.readContents(at: file.path, limit: 1 << 20), as: UTF8.self)
        let member = try #require(file.findHost(named: other))
        let entry = "  - name: \(other)\n    api: \(member.api)\n    peer: \(member.peer)\n"
        try #require(text.contains(entry))
        try AtomicFile.writeBytes(
            Array(text.replacingOccurrences(of: entry, with: "").utf8), to: path)
        try await start(host, config: path)
    }

    /// The folder of keys of a controller, issued when it is not there yet.
    func controllerKeys(_ name: String = "controller-1") throws -> String {
        let folder = "\(folder)/keys/controller-\(name)"
        if !Folder.isPresent(at: folder) {
            try authority.issueCertificate(
                as: .controller, name: HostName(name), to: KeyFolder(folder))
        }
        return folder
    }

    /// Ends an agent like a power cut.
    func kill(_ host: String = "host-a") throws {
        let process = try process(of: host)
        try process.sendSignal(SIGKILL)
        #expect(try process.waitForExit(within: .seconds(10)))
        _ = process.reapIfExited()
    }

    func vmFolder(_ vm: String, on host: String = "host-a") -> String {
        "\(folder)/state/hosts/\(host)/vms/\(vm)"
    }

    private func printLogs() {
        for host in file.hosts {
            if let text = try? logText(host.name.text) { print("--- \(host.name)\n\(text)") }
        }
    }

    /// Whatever cannot be ended here is gone already.
    private func tearDown() {
        for host in file.hosts {
            try? kill(host.name.text)
            let vms = "\(folder)/state/hosts/\(host.name)/vms"
            for name in (try? Folder.entryNames(at: vms)) ?? [] {
                guard let client = try? VMMClient(socketPath: "\(vms)/\(name)/control.sock") else {
                    continue
                }
                try? ProcessHandle(client.info.processID).sendSignal(SIGKILL)
            }
        }
        try? Folder.removeRecursively(at: folder)
    }
}

enum TestClusterError: Error {
    case agentDoesNotAnswer(HostName)
    case consoleEnded(String)
    case neverAsWanted(String)
}
