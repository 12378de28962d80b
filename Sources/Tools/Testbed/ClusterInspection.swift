// What must be so in a cluster at rest: every VM that it keeps is on one host, as it says; nothing else is anywhere.

import API
import Clients
import Foundation
import Host
package import Model

/// Asks the controller and every agent, and looks at folders and processes.
package struct ClusterInspection: Sendable {
    private let cluster: LocalCluster

    package init(_ cluster: LocalCluster) { self.cluster = cluster }

    private var controller: ControllerClient {
        get throws {
            guard let controller = cluster.controller else {
                throw TestbedError("the cluster has no controller")
            }
            return controller
        }
    }

    /// What is wrong once everything had time to come to rest; empty is good.
    /// - Parameter expected: VMs that shall be there, running, and no others.
    package func findViolations(expecting expected: [VMName: VMID], within limit: Duration)
        async throws
        -> [String]
    {
        let end = Instant.now + limit
        var found = await inspectCluster(expecting: expected)
        while !found.isEmpty, Instant.now < end {
            try await Task.sleep(for: .milliseconds(200))
            found = await inspectCluster(expecting: expected)
        }
        return found
    }

    private func inspectCluster(expecting expected: [VMName: VMID]) async -> [String] {
        do {
            let kept = try await controllerVMs()
            let there = try await reportedVMs()
            return try await openOperations() + differences(of: kept, fromExpected: expected)
                + differences(of: kept, fromReports: there)
                + findLeftovers(besides: there)
        } catch { return ["somebody does not answer: \(error)"] }
    }

    private func controllerVMs() async throws -> [VMName: ClusterVM] {
        let controller = try controller
        let all = try await controller.collectAllPages { after throws(ClientError) in
            try await controller.listClusterVMs(after: after)
        }
        return Dictionary(uniqueKeysWithValues: all.map { ($0.name, $0) })
    }

    private func reportedVMs() async throws -> [VMInfo] {
        var all: [VMInfo] = []
        for agent in cluster.client.agents { all += try await agent.listAllVMs() }
        return all
    }

    private func openOperations() async throws -> [String] {
        let controller = try controller
        let all = try await controller.collectAllPages { after throws(ClientError) in
            try await controller.listOperations(after: after)
        }
        return all.filter { !$0.isOver }.map {
            "operation \($0.id) (\($0.kind.rawValue)) is \($0.state.rawValue)"
        }
    }

    private func differences(
        of kept: [VMName: ClusterVM], fromExpected expected: [VMName: VMID]
    ) -> [String] {
        var found: [String] = []
        for (name, id) in expected {
            guard let vm = kept[name] else {
                found.append("\(name) was acknowledged, and the controller does not know it")
                continue
            }
            if vm.id != id { found.append("\(name) has the id \(vm.id), not \(id)") }
            if vm.state != .running {
                found.append("\(name) is \(vm.state.rawValue): \(vm.reason ?? "no reason")")
            }
        }
        return found
            + kept.values.filter { expected[$0.name] == nil }.map {
                "\($0.name) should not be there, and is \($0.state.rawValue): \($0.reason ?? "no reason")"
            }
    }

    private func differences(of kept: [VMName: ClusterVM], fromReports there: [VMInfo]) -> [String]
    {
        var found: [String] = []
        for vm in kept.values {
            let places = there.filter { $0.id == vm.id }
            guard places.count == 1, let place = places.first else {
                found.append("\(vm.name) is on \(places.map(\.host.text))")
                continue
            }
            if place.host != vm.host || place.epoch != vm.epoch || place.state != .running {
                found.append(
                    "\(vm.name) is \(place.state.rawValue) on \(place.host) at epoch \(place.epoch); the controller says \(vm.host?.text ?? "nowhere"), \(vm.epoch)"
                )
            }
        }
        let known = Set(kept.values.map(\.id))
        return found
            + there.filter { !known.contains($0.id) }.map {
                "\($0.name) is on \($0.host), and the controller does not know it"
            }
    }

    /// Folders and processes that no VM of their host has.
    private func findLeftovers(besides there: [VMInfo]) -> [String] {
        let processes = ProcessFacts.all.filter { $0.state != "Z" }
        return cluster.hosts.flatMap { host in
            let vms = there.filter { $0.host == host }
            let folder = cluster.stateFolder(of: host) + "/vms"
            let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
            let folders = Set(names).subtracting(vms.map(\.name.text))
            let known = Set(vms.compactMap(\.processID))
            let strays = processes.filter { process in
                !known.contains(process.id)
                    && process.arguments.contains { $0.hasPrefix("--directory=\(folder)/") }
            }
            return folders.map { "\(host): folder \($0) of no VM" }
                + strays.map { "\(host): process \($0.id) of no VM" }
        }
    }
}
