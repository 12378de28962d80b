// Two real agents on two hosts, with the shim in them and in their VMs, and a link between them that can be cut.

import API
import Clients
import Foundation
import Glibc
import Host
import Model
import Pulse
import Testbed

/// Where the two hosts are.
package enum Place: String, Hashable, Sendable {
    case loopback, namespaces
}

/// Call `end` when done.
final class FaultCluster: Sendable {
    let cluster: LocalCluster
    let link: any Link
    private let controls: [String: FaultControl]
    private let files: FaultClusterFiles
    private let members: [FaultClusterFiles.Member]
    /// Of hosts whose disk can be filled, by host.
    private let disks: [String: SmallDisk]

    var hosts: [HostName] { cluster.hosts }
    var folder: String { cluster.folder }

    static func startCluster(at place: Place) async throws -> FaultCluster {
        let folder = FileManager.default.temporaryDirectory.path + "/ferry-faults-\(UUID())"
        try FileManager.default.createDirectory(
            atPath: folder, withIntermediateDirectories: true,
            attributes: [.posixPermissions: 0o700])
        let files = FaultClusterFiles(folder: folder)
        switch place {
        case .loopback:
            let (hosts, link) = try makeLoopbackHosts(named: files.hosts)
            return try await startCluster(files: files, members: hosts, linkedBy: link, disks: [:])
        case .namespaces:
            let link = try await NetworkNamespaces(hosts: files.hosts)
            let hosts = files.hosts.compactMap { name in
                link.addresses[name].map {
                    FaultClusterFiles.Member(
                        name: name, api: $0.api, peer: $0.peer, peerForOthers: $0.peer,
                        prefix: link.commandPrefix(host: name))
                }
            }
            var disks: [String: SmallDisk] = [:]
            do {
                for host in hosts {
                    disks[host.name] = try SmallDisk(at: files.stateFolder(host: host.name))
                }
                return try await startCluster(
                    files: files, members: hosts, linkedBy: link, disks: disks)
            } catch {
                for disk in disks.values { disk.unmountFolder() }
                throw error
            }
        }
    }

    private static func startCluster(
        files: FaultClusterFiles, members: [FaultClusterFiles.Member], linkedBy link: any Link,
        disks: [String: SmallDisk]
    ) async throws -> FaultCluster {
        do {
            let controls = try files.writeAllFiles(for: members)
            let cluster = try await LocalCluster.startTemporary(
                configuration: files.clusterConfiguration(members: members, seenFrom: nil),
                folder: files.folder,
                environment: ["FERRY_AGENT": files.agentProgram])
            return FaultCluster(
                cluster: cluster, linkedBy: link, controls: controls, files: files,
                members: members, disks: disks)
        } catch {
            await link.tearDown()
            throw error
        }
    }

    private init(
        cluster: LocalCluster, linkedBy link: any Link, controls: [String: FaultControl],
        files: FaultClusterFiles, members: [FaultClusterFiles.Member],
        disks: [String: SmallDisk]
    ) {
        self.cluster = cluster
        self.link = link
        self.controls = controls
        self.files = files
        self.members = members
        self.disks = disks
    }

    func faultControl(of program: FaultPoint.Program, on host: HostName) throws -> FaultControl {
        let name = program == .agent ? host.text : FaultClusterFiles.vmmControlName(host: host.text)
        guard let control = controls[name] else { throw TestbedError("no shim on \(host)") }
        return control
    }

    func disarmAll() { for control in controls.values { control.disarmRules() } }

    func otherHost(than host: HostName) throws -> HostName {
        guard let other = hosts.first(where: { $0 != host }) else {
            throw TestbedError("no host but \(host)")
        }
        return other
    }

    /// Starts a host's agent anew with so much memory kept back; nil: as usual.
    func setMemoryReserve(_ reserve: String?, on host: HostName) async throws {
        try files.writeClusterFile(members: members, host: host.text, reserve: reserve)
        let agent = try ProcessHandle(
            try await cluster.agentClient(for: host).readHostInfo().processID)
        try agent.sendSignal(SIGKILL)
        _ = try agent.waitForExit(within: .seconds(10))
        try await cluster.startAgents()
    }

    func fillStateDisk(of host: HostName) throws { try stateDisk(of: host).fillCompletely() }
    func emptyStateDisk(of host: HostName) throws { try stateDisk(of: host).removeFiller() }

    private func stateDisk(of host: HostName) throws -> SmallDisk {
        guard let disk = disks[host.text] else { throw TestbedError("\(host) has no small disk") }
        return disk
    }

    /// Takes everything down. With `keepsLogs` the hosts' state is copied first; returns where to.
    func stopCluster(keepsLogs: Bool = false) async throws -> String? {
        disarmAll()
        let kept = keepsLogs ? folder + "-kept" : nil
        // Best effort: a copy for whoever looks into what went wrong.
        if let kept {
            try? FileManager.default.copyItem(atPath: files.stateFolder, toPath: kept)
        }
        let result: Result<Void, any Error>
        do {
            for disk in disks.values { try disk.removeFiller() }
            try await cluster.stopAllProcesses()
            result = .success(())
        } catch { result = .failure(error) }
        for disk in disks.values { disk.unmountFolder() }
        await link.tearDown()
        try result.get()
        try cluster.removeFolder()
        return kept
    }

    private static func makeLoopbackHosts(
        named names: [String]
    ) throws -> (hosts: [FaultClusterFiles.Member], link: ForwardedLink) {
        // Ports that are free now, kept busy until the forwarders have others.
        let listeners = try (0..<names.count * 2).map { _ in
            try TCPSocket.openListener(on: SocketAddress(ip: "127.0.0.1", port: 0))
        }
        defer { withExtendedLifetime(listeners) {} }
        let addresses = try listeners.map {
            SocketAddress(ip: "127.0.0.1", port: try TCPSocket.boundPort(of: $0))
        }
        let peers = Dictionary(uniqueKeysWithValues: zip(names, addresses))
        let link = try ForwardedLink(peers)
        let hosts = names.indices.map { index in
            let (name, peer) = (names[index], addresses[index])
            return FaultClusterFiles.Member(
                name: name, api: "\(addresses[names.count + index])", peer: "\(peer)",
                peerForOthers: "\(link.forwarderAddress(host: name) ?? peer)", prefix: [])
        }
        return (hosts, link)
    }
}
