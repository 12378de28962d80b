// A real ferry-controller with SQLite, and simulated agents that each have a certificate of their own.

import API
import Clients
import Foundation
import Host
import Keys
import Model
import SimulatedAgents
import Testbed

/// Call `end` when done.
final class LoadRig {
    let folder: String
    let fleet: SimulatedFleet
    private let cluster: ClusterName
    private let controllerName: HostName
    private let file: String
    private let port: UInt16
    private(set) var controller: ControllerProcess
    /// Several, because each has only so many connections.
    private(set) var clients: [ControllerClient] = []
    /// Of those that were killed, too.
    private var peakBytes: UInt64 = 0

    static func startCluster(with options: LoadOptions, progress tell: (String) -> Void)
        async throws -> LoadRig
    {
        let folder = FileManager.default.temporaryDirectory.path + "/ferry-load-\(UUID())"
        try FileManager.default.createDirectory(
            atPath: folder, withIntermediateDirectories: true,
            attributes: [.posixPermissions: 0o700])
        do { return try await startCluster(with: options, folder: folder, progress: tell) } catch {
            try? FileManager.default.removeItem(atPath: folder)
            throw error
        }
    }

    private static func startCluster(
        with options: LoadOptions, folder: String, progress tell: (String) -> Void
    ) async throws -> LoadRig {
        let cluster = try ClusterName("load")
        let controller = try HostName("controller-1")
        let hosts = try (1...options.agents).map { try HostName("host-\($0)") }
        tell("issuing \(options.agents) certificates")
        try issueCertificates(
            for: cluster, controller: controller, hosts: hosts, folder: folder + "/keys")
        tell("opening \(options.agents) ports")
        let simulated = SimulatedHosts(
            hosts, cores: 32, memoryBytes: 256 << 30, load: VMLoad.unevenLoad
        ) { bytes in .milliseconds(200 + Int(bytes >> 20)) }
        let fleet = try await SimulatedFleet.startFleet(of: simulated) {
            "\(folder)/keys/agent-\($0)"
        }
        let listener = try TCPSocket.openListener(on: SocketAddress(ip: "127.0.0.1", port: 0))
        let port = try TCPSocket.boundPort(of: listener)
        let file = folder + "/cluster.yaml"
        try clusterFileText(for: options, fleet: fleet, port: port, folder: folder).write(
            toFile: file, atomically: true, encoding: .utf8)
        // The listener kept the port free until now.
        _ = consume listener
        let process = try ControllerProcess.startController(
            named: controller, file: file, log: folder + "/controller.log")
        let rig = LoadRig(
            folder: folder, cluster: cluster, controllerName: controller, file: file, port: port,
            fleet: fleet, controller: process)
        let count = (options.creators + Limits.requestsPerClient - 1) / Limits.requestsPerClient
        rig.clients = try (0..<count).map { _ in
            try ControllerClient(
                controllers: [rig.address], access: .keys(folder: "\(folder)/keys/operator-admin"))
        }
        return rig
    }

    private init(
        folder: String, cluster: ClusterName, controllerName: HostName, file: String,
        port: UInt16, fleet: SimulatedFleet, controller: ControllerProcess
    ) {
        self.folder = folder
        self.cluster = cluster
        self.controllerName = controllerName
        self.file = file
        self.port = port
        self.fleet = fleet
        self.controller = controller
    }

    var client: ControllerClient { clients[0] }

    private var address: HostAddress {
        HostAddress(
            cluster: cluster, role: .controller, name: controllerName, ip: "127.0.0.1",
            port: Int(port))
    }

    private static func issueCertificates(
        for cluster: ClusterName, controller: HostName, hosts: [HostName], folder: String
    ) throws {
        try Folder.createFolder(at: folder, mode: 0o700)
        let authority = try ClusterAuthority(cluster: cluster)
        let holders =
            hosts.map { (Role.agent, $0) }
            + [(.controller, controller), (.operator, try HostName("admin"))]
        for (role, name) in holders {
            try authority.issueCertificate(
                as: role, name: name, to: KeyFolder("\(folder)/\(role.rawValue)-\(name)"))
        }
    }

    private static func clusterFileText(
        for options: LoadOptions, fleet: SimulatedFleet, port: UInt16, folder: String
    ) -> String {
        let hosts = fleet.hosts.map { host in
            let member = fleet.memberAddresses(of: host)
            return "  - name: \(host)\n    api: \(member.api)\n    peer: \(member.peer)\n"
        }
        let milliseconds = Int(options.heartbeat.milliseconds)
        return """
            cluster: load
            state-folder: \(folder)/state
            keys-folder: \(folder)/keys
            controllers:
              - name: controller-1
                api: 127.0.0.1:\(port)
            control:
              heartbeat: \(milliseconds)ms
              host-lease: \(milliseconds * 4)ms
              balance: "off"
            hosts:
            \(hosts.joined())
            """
    }

    /// The agents register and report from now on.
    func beginReports(within: Duration) throws {
        try fleet.startReporting(to: [address], within: within)
    }

    /// Waits until the controller leads.
    func waitUntilLeading() async throws {
        try await waitUntil("the controller leads", within: Limits.controllerStart) {
            guard try !controller.hasEnded else {
                throw TestbedError("the controller ended: \(lastLogLine)")
            }
            // Not there yet is the usual answer.
            return (try? await client.readClusterInfo())?.leader == controllerName
        }
    }

    /// Waits until all agents have reported to this life of the controller.
    func waitUntilAllHeard() async throws {
        try await waitUntil("all agents are heard of", within: Limits.service) {
            guard let hosts = try? await fetchAllHosts() else { return false }
            return hosts.count == fleet.hosts.count
                && hosts.allSatisfy { $0.heardOfMsAgo != nil && $0.state == .active }
        }
    }

    private func fetchAllHosts() async throws(ClientError) -> [ClusterHost] {
        try await client.collectAllPages { after throws(ClientError) in
            try await client.listHosts(limit: Limits.pageItems, after: after)
        }
    }

    func restartController(signal: Int32) throws {
        recordPeakMemory()
        try controller.terminate(signal: signal)
        controller = try ControllerProcess.startController(
            named: controllerName, file: file, log: folder + "/controller.log")
    }

    private func recordPeakMemory() {
        peakBytes = max(peakBytes, ProcessFacts(controller.processID)?.peakMemoryBytes ?? 0)
    }

    var peakMemoryMiB: Double {
        recordPeakMemory()
        return Double(peakBytes) / Double(1 << 20)
    }

    /// What the controller said last, and what an agent met last.
    var diagnostics: String {
        "\n  the controller's log ends: \(lastLogLine)\n  an agent met: \(fleet.lastProblem ?? "nothing")"
    }

    private var lastLogLine: String {
        let words = (try? File.readLastBytes(at: folder + "/controller.log", count: 2000)) ?? []
        return String(decoding: words, as: UTF8.self).split(separator: "\n").last.map(String.init)
            ?? "it said nothing"
    }

    func waitUntil(
        _ what: String, within limit: Duration, condition isSo: () async throws -> Bool
    ) async throws {
        let end = Instant.now + limit
        while try await !isSo() {
            guard Instant.now < end else {
                throw TestbedError("not within \(limit): \(what)")
            }
            try await Task.sleep(for: Limits.poll)
        }
    }

    func tearDownCluster() async throws {
        await fleet.stopAgents()
        for client in clients { await client.shutdown() }
        if try !controller.hasEnded { try controller.terminate() }
        try FileManager.default.removeItem(atPath: folder)
    }
}
