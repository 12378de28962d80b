// What a migration may leave behind: nothing. Processes, descriptors, threads, folders and half-written files of
// both hosts are held against what they were before any fault.

import API
import Clients
import Foundation
import Host
import Model
import Testbed

/// Learns what is usual, and finds what is more.
final class LeakCheck {
    private let cluster: FaultCluster
    private let peerPorts: Set<UInt16>
    private var agentWithVM = Census()
    private var agentWithout = Census()
    private var vmm = Census()

    init(_ cluster: FaultCluster) throws {
        self.cluster = cluster
        var ports: Set<UInt16> = []
        for host in cluster.hosts {
            ports.insert(try cluster.cluster.peerAddress(of: host).port)
            if let link = cluster.link as? ForwardedLink, let address = link.address(of: host.text)
            {
                ports.insert(address.port)
            }
        }
        peerPorts = ports
    }

    /// What is now is usual: call with nothing going on.
    func learn() async throws {
        for host in cluster.hosts {
            let agent = try cluster.cluster.agent(host)
            let census = Census(of: try await agent.host().processID, peerPorts: peerPorts)
            let vms = try await agent.vms()
            if vms.isEmpty {
                agentWithout = agentWithout.union(census)
            } else {
                agentWithVM = agentWithVM.union(census)
            }
            for id in vms.compactMap(\.processID) {
                vmm = vmm.union(Census(of: id, peerPorts: peerPorts))
            }
        }
    }

    /// What is still left when it has had time to go; empty is good.
    func leaks() async throws -> [String] {
        let end = Instant.now + Limits.cleanUp
        var found = try await look()
        while !found.isEmpty, Instant.now < end {
            try await Task.sleep(for: .milliseconds(100))
            found = try await look()
        }
        return found
    }

    private func look() async throws -> [String] {
        var found: [String] = []
        for host in cluster.hosts {
            let agent = try cluster.cluster.agent(host)
            let id = try await agent.host().processID
            let vms = try await agent.vms()
            let usual = vms.contains { $0.processID != nil } ? agentWithVM : agentWithout
            found += Census(of: id, peerPorts: peerPorts).excess(over: usual)
                .map { "agent of \(host): \($0)" }
            found += processes(host, agent: id, vms)
            found += files(host, vms)
        }
        return found
    }

    private func processes(_ host: HostName, agent: Int32, _ vms: [VMInfo]) -> [String] {
        let known = Set(vms.compactMap(\.processID))
        let folder = cluster.cluster.stateFolder(of: host) + "/"
        var found: [String] = []
        for process in ProcessFacts.all {
            if process.state == "Z" {
                if process.parent == agent {
                    found.append("a child of \(host)'s agent, not reaped")
                }
            } else if process.arguments.contains(where: { $0.hasPrefix("--directory=" + folder) }) {
                guard known.contains(process.id) else {
                    found.append("ferry-vmm \(process.id) of \(host), which no VM has")
                    continue
                }
                found += Census(of: process.id, peerPorts: peerPorts).excess(over: vmm)
                    .map { "ferry-vmm on \(host): \($0)" }
            }
        }
        return found
    }

    private func files(_ host: HostName, _ vms: [VMInfo]) -> [String] {
        let folder = cluster.cluster.stateFolder(of: host)
        let names = Set(vms.map(\.name.text))
        let paths = (try? FileManager.default.subpathsOfDirectory(atPath: folder)) ?? []
        return paths.compactMap { path in
            let parts = path.split(separator: "/")
            if path.hasSuffix(".draft") || path.hasSuffix(".new") { return "\(host): file \(path)" }
            if parts.count == 2, parts[0] == "vms", !names.contains(String(parts[1])) {
                return "\(host): folder \(path)"
            }
            return nil
        }
    }
}
