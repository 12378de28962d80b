// A cluster under test with one VM that scenario after scenario starts from wherever the last one left it.

import API
import Clients
import Foundation
import Host
import Model
import Pulse
import Testbed

/// Call `end` when done.
package final class FaultRig {
    /// Small, so that a migration takes a moment: what a scenario needs longer it gets from the shim.
    static let load = PulseOptions(
        fillBytes: 40 << 20, workingSetBytes: 8 << 20, rate: .pagesPerSecond(1000),
        content: .mixed, period: .milliseconds(20))
    private static let memory = ByteCount.mebibytes(64)

    let cluster: FaultCluster
    let leaks: LeakCheck
    private var made = 0

    package static func startRig(at place: Place) async throws -> FaultRig {
        let cluster = try await FaultCluster.startCluster(at: place)
        do {
            let rig = FaultRig(cluster: cluster, leaks: try LeakCheck(cluster))
            try await rig.recordBaseline()
            return rig
        } catch {
            _ = try? await cluster.stopCluster()
            throw error
        }
    }

    private init(cluster: FaultCluster, leaks: LeakCheck) {
        self.cluster = cluster
        self.leaks = leaks
    }

    /// Why scenarios of a place cannot run here; nil when they can.
    package static func unavailabilityReason(of place: Place) async -> String? {
        switch place {
        case .loopback: nil
        case .namespaces: await NetworkNamespaces.unavailabilityReason()
        }
    }

    /// Each host with and without the VM, after moves to which nothing happened.
    private func recordBaseline() async throws {
        var vm = try await findOrCreateVM()
        try await leaks.recordBaseline()
        for _ in 1...2 {
            let destination = try cluster.otherHost(than: vm.host)
            let migration = try await cluster.cluster.migrateVM(
                vm.name, from: vm.host, to: destination, downtimeLimit: .milliseconds(10_000))
            guard migration.state == .succeeded else {
                throw TestbedError("a move without a fault: \(migration.failure?.message ?? "")")
            }
            vm = try await self.findOrCreateVM()
            try await leaks.recordBaseline()
        }
    }

    /// The VM where it runs; a new one when there is none.
    private func findOrCreateVM() async throws -> VMInfo {
        let places = await fetchAllVMs()
        if let vm = places.first(where: { $0.state == .running && $0.activity == nil }) {
            return vm
        }
        for vm in places {
            try await cluster.cluster.agentClient(for: vm.host).deleteVM(named: vm.name)
        }
        made += 1
        let host = cluster.hosts[made % cluster.hosts.count]
        let name = try VMName("pulse-\(made)")
        let watch = try PulseWatch(name, in: cluster.cluster)
        defer { watch.stopWatching() }
        let agent = try cluster.cluster.agentClient(for: host)
        _ = try await agent.createVM(
            with: CreateVM(
                VMSpec(
                    name: name, memory: Self.memory,
                    commandLine: try Self.load.commandLine())))
        try await watch.waitUntilFilled()
        return try await agent.readVMInfo(named: name)
    }

    private func fetchAllVMs() async -> [VMInfo] {
        var vms: [VMInfo] = []
        for agent in cluster.cluster.client.agents { vms += (try? await agent.listAllVMs()) ?? [] }
        return vms
    }

    package func runScenario(_ scenario: Scenario) async throws -> ScenarioResult {
        let vm = try await findOrCreateVM()
        var row = try await ScenarioRun(of: scenario, on: self, vm: vm).runScenario()
        // The run's own eyes are closed by now.
        row.violations += try await leaks.remainingLeaks().map { "left behind: \($0)" }
        return row
    }

    /// Takes the cluster down. With `keepsLogs` its state stays, at the path that is returned.
    @discardableResult
    package func stopCluster(keepsLogs: Bool = false) async throws -> String? {
        try await cluster.stopCluster(keepsLogs: keepsLogs)
    }
}
