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

    static func start(_ place: Place) async throws -> FaultCluster {
        let folder = FileManager.default.temporaryDirectory.path + "/ferry-faults-\(UUID())"
        try FileManager.default.createDirectory(
            atPath: folder, withIntermediateDirectories: true,
            attributes: [.posixPermissions: 0o700])
        let files = FaultClusterFiles(folder: folder)
        switch place {
        case .loopback:
            let (hosts, link) = try onLoopback(files.hosts)
            return try await start(files, hosts, link, disks: [:])
        case .namespaces:
            let link = try await NetworkNamespaces(hosts: files.hosts)
            let hosts = files.hosts.compactMap { name in
                link.addresses[name].map {
                    FaultClusterFiles.Member(
                        name: name, api: $0.api, peer: $0.peer, peerForOthers: $0.peer,
                        prefix: link.command(on: name))
                }
            }
            var disks: [String: SmallDisk] = [:]
            do {
                for host in hosts {
                    disks[host.name] = try SmallDisk(at: files.stateFolder(of: host.name))
                }
                return try await start(files, hosts, link, disks: disks)
            } catch {
                for disk in disks.values { disk.end() }
                throw error
            }
        }
    }

    private static func start(
        _ files: FaultClusterFiles, _ members: [FaultClusterFiles.Member], _ link: any Link,
        disks: [String: SmallDisk]
    ) async throws -> FaultCluster {
        do {
            let controls = try files.write(members)
            let cluster = try await LocalCluster.temporary(
                files.configuration(members, seenFrom: nil), in: files.folder,
                environment: ["FERRY_AGENT": files.agentProgram])
            return FaultCluster(cluster, link, controls, files, members, disks)
        } catch {
            await link.end()
            throw error
        }
    }

    private init(
        _ cluster: LocalCluster, _ link: any Link, _ controls: [String: FaultControl],
        _ files: FaultClusterFiles, _ members: [FaultClusterFiles.Member],
        _ disks: [String: SmallDisk]
    ) {
        self.cluster = cluster
        self.link = link
        self.controls = controls
        self.files = files
        self.members = members
        self.disks = disks
    }

    func control(_ program: FaultPoint.Program, on host: HostName) throws -> FaultControl {
        let name = program == .agent ? host.text : FaultClusterFiles.vmmControl(host.text)
        guard let control = controls[name] else { throw TestbedError("no shim on \(host)") }
        return control
    }

    func disarmAll() { for control in controls.values { control.disarm() } }

    func other(than host: HostName) throws -> HostName {
        guard let other = hosts.first(where: { $0 != host }) else {
            throw TestbedError("no host but \(host)")
        }
        return other
    }

    /// Starts a host's agent anew with so much memory kept back; nil: as usual.
    func setReserve(_ reserve: String?, on host: HostName) async throws {
        try files.write(members, for: host.text, reserve: reserve)
        let agent = try ProcessHandle(try await cluster.agent(host).host().processID)
        try agent.signal(SIGKILL)
        _ = try agent.waitForExit(within: .seconds(10))
        try await cluster.up()
    }

    func fillDisk(of host: HostName) throws { try disk(of: host).fill() }
    func emptyDisk(of host: HostName) throws { try disk(of: host).empty() }

    private func disk(of host: HostName) throws -> SmallDisk {
        guard let disk = disks[host.text] else { throw TestbedError("\(host) has no small disk") }
        return disk
    }

    /// Takes everything down. With `keepsLogs` the hosts' state is copied first; returns where to.
    func end(keepsLogs: Bool = false) async throws -> String? {
        disarmAll()
        let kept = keepsLogs ? folder + "-kept" : nil
        // Best effort: a copy for whoever looks into what went wrong.
        if let kept {
            try? FileManager.default.copyItem(atPath: files.stateFolder, toPath: kept)
        }
        let result: Result<Void, any Error>
        do {
            for disk in disks.values { try disk.empty() }
            try await cluster.stop()
            result = .success(())
        } catch { result = .failure(error) }
        for disk in disks.values { disk.end() }
        await link.end()
        try result.get()
        try cluster.remove()
        return kept
    }

    private static func onLoopback(
        _ names: [String]
    ) throws -> (hosts: [FaultClusterFiles.Member], link: ForwardedLink) {
        // Ports that are free now, kept busy until the forwarders have others.
        let listeners = try (0..<names.count * 2).map { _ in
            try TCPSocket.listen(on: SocketAddress(ip: "127.0.0.1", port: 0))
        }
        defer { withExtendedLifetime(listeners) {} }
        let addresses = try listeners.map {
            SocketAddress(ip: "127.0.0.1", port: try TCPSocket.port(of: $0))
        }
        let peers = Dictionary(uniqueKeysWithValues: zip(names, addresses))
        let link = try ForwardedLink(peers)
        let hosts = names.indices.map { index in
            let (name, peer) = (names[index], addresses[index])
            return FaultClusterFiles.Member(
                name: name, api: "\(addresses[names.count + index])", peer: "\(peer)",
                peerForOthers: "\(link.address(of: name) ?? peer)", prefix: [])
        }
        return (hosts, link)
    }
}
