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
    private var agentWithVM = ResourceCounts()
    private var agentWithout = ResourceCounts()
    private var vmm = ResourceCounts()

    init(_ cluster: FaultCluster) throws {
        self.cluster = cluster
        var ports: Set<UInt16> = []
        for host in cluster.hosts {
            ports.insert(try cluster.cluster.peerAddress(of: host).port)
            if let link = cluster.link as? ForwardedLink,
                let address = link.forwarderAddress(host: host.text)
            {
                ports.insert(address.port)
            }
        }
        peerPorts = ports
    }

    /// What is now is usual: call with nothing going on.
    func recordBaseline() async throws {
        for host in cluster.hosts {
            let agent = try cluster.cluster.agentClient(for: host)
            let census = ResourceCounts(
                of: try await agent.readHostInfo().processID, peerPorts: peerPorts)
            let vms = try await agent.listAllVMs()
            if vms.isEmpty {
                agentWithout = agentWithout.mergingMaxima(with: census)
            } else {
                agentWithVM = agentWithVM.mergingMaxima(with: census)
            }
            for id in vms.compactMap(\.processID) {
                vmm = vmm.mergingMaxima(with: ResourceCounts(of: id, peerPorts: peerPorts))
            }
        }
    }

    /// What is still left when it has had time to go; empty is good.
    func remainingLeaks() async throws -> [String] {
        let end = Instant.now + Limits.cleanUp
        var found = try await currentLeaks()
        while !found.isEmpty, Instant.now < end {
            try await Task.sleep(for: .milliseconds(100))
            found = try await currentLeaks()
        }
        return found
    }

    private func currentLeaks() async throws -> [String] {
        var found: [String] = []
        for host in cluster.hosts {
            let agent = try cluster.cluster.agentClient(for: host)
            let id = try await agent.readHostInfo().processID
            let vms = try await agent.listAllVMs()
            let usual = vms.contains { $0.processID != nil } ? agentWithVM : agentWithout
            found += ResourceCounts(of: id, peerPorts: peerPorts).describeExcess(over: usual)
                .map { "agent of \(host): \($0)" }
            found += leakedProcesses(on: host, agent: id, vms: vms)
            found += leakedFiles(on: host, vms: vms)
        }
        return found
    }

    private func leakedProcesses(on host: HostName, agent: Int32, vms: [VMInfo]) -> [String] {
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
                found += ResourceCounts(of: process.id, peerPorts: peerPorts).describeExcess(
                    over: vmm
                )
                .map { "ferry-vmm on \(host): \($0)" }
            }
        }
        return found
    }

    private func leakedFiles(on host: HostName, vms: [VMInfo]) -> [String] {
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
