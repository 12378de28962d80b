// The measurements, one after the other.

import API
import Clients
import Foundation
import Host
import Model
import SimulatedAgents
import Testbed

struct LoadRun {
    let rig: LoadRig
    let options: LoadOptions
    let tell: (String) -> Void

    func runAllPhases() async throws -> LoadReport {
        var report = LoadReport(
            agents: options.agents, heartbeatSeconds: options.heartbeat.milliseconds / 1000)
        try await registerAgents(updating: &report)
        try await createVMs(updating: &report)
        try await measureSteadyState(updating: &report)
        try await measurePlans(updating: &report)
        try await measureRestarts(updating: &report)
        try await countLostVMs(updating: &report)
        report.peakMemoryMiB = rig.peakMemoryMiB
        return report
    }

    private func registerAgents(updating report: inout LoadReport) async throws {
        tell("the controller starts")
        try await rig.waitUntilLeading()
        tell("\(options.agents) agents register")
        let start = Instant.now
        // Spread as they would be: all at once is what a restart of the controller shows.
        try rig.beginReports(within: options.heartbeat)
        try await rig.waitUntilAllHeard()
        report.allRegisteredSeconds = (Instant.now - start).milliseconds / 1000
    }

    private func createVMs(updating report: inout LoadReport) async throws {
        let names = try (0..<options.agents * options.vmsPerAgent).map { try VMName("vm-\($0)") }
        tell("\(names.count) VMs are created")
        let start = Instant.now
        let results = await createVMs(named: names)
        let seconds = (Instant.now - start).milliseconds / 1000
        let times = results.compactMap { try? $0.get() }
        report.failedCreates = results.count - times.count
        if case .failure(let error) = results.first(where: { (try? $0.get()) == nil }) {
            tell("creates failed: \(error)")
        }
        report.vms = times.count
        report.createsPerSecond = Double(times.count) / seconds
        report.creates = Quantiles(of: times)
        let answered = Instant.now
        try await rig.waitUntil("all VMs run", within: Limits.service) {
            try await rig.client.readClusterInfo().vms["running"] ?? 0 >= times.count
        }
        report.allRunningSeconds = (Instant.now - answered).milliseconds / 1000
        if let histogram = Histogram(
            named: "ferry_placement_seconds", metrics: try await rig.client.readMetrics())
        {
            report.placementMedianMs = histogram.estimateQuantile(at: 0.5).map { $0 * 1000 }
            report.placementP99Ms = histogram.estimateQuantile(at: 0.99).map { $0 * 1000 }
        }
    }

    /// Each of the creators makes its part of them, one after the other.
    private func createVMs(named names: [VMName]) async -> [Result<Duration, any Error>] {
        let clients = rig.clients
        let creators = options.creators
        return await withTaskGroup(of: [Result<Duration, any Error>].self) { group in
            for creator in 0..<creators {
                let client = clients[creator % clients.count]
                group.addTask {
                    var results: [Result<Duration, any Error>] = []
                    for index in stride(from: creator, to: names.count, by: creators) {
                        let start = Instant.now
                        do {
                            _ = try await client.createVM(
                                with: Self.creationRequest(named: names[index]))
                            results.append(.success(Instant.now - start))
                        } catch { results.append(.failure(error)) }
                    }
                    return results
                }
            }
            return await group.reduce(into: []) { $0 += $1 }
        }
    }

    private static func creationRequest(named name: VMName) -> CreateClusterVM {
        CreateClusterVM(VMSpec(name: name, memory: .gibibytes(4)))
    }

    private func measureSteadyState(updating report: inout LoadReport) async throws {
        tell("the steady state is measured for \(options.steady)")
        _ = rig.fleet.drainTimes()
        let process = rig.controller.processID
        let (start, cpu) = (Instant.now, ProcessFacts(process)?.cpuSeconds ?? 0)
        try await Task.sleep(for: options.steady)
        let seconds = (Instant.now - start).milliseconds / 1000
        let times = rig.fleet.drainTimes()
        report.steadySeconds = seconds
        report.controllerCPUPercent =
            ((ProcessFacts(process)?.cpuSeconds ?? 0) - cpu) / seconds * 100
        report.heartbeatsPerSecond = Double(times.latencies.count) / seconds
        report.heartbeats = Quantiles(of: times.latencies)
        report.failedHeartbeats = times.failed
    }

    private func measurePlans(updating report: inout LoadReport) async throws {
        tell("plans are made")
        let client = rig.client
        let new = Self.creationRequest(named: try VMName("not-yet-there"))
        report.explanations = Quantiles(
            of: try await measureDurations(count: Limits.explanations) {
                _ = try await client.explainPlacement(of: ExplainPlacement(new: new))
            })
        // Loads at random are nearly even: plans shall have something to level.
        let imbalance = try await client.readBalanceInfo().imbalance
        var rules = UpdateBalance()
        rules.startAbove = imbalance * 0.9
        rules.settleAt = imbalance / 2
        _ = try await client.updateBalance(with: rules)
        report.imbalance = imbalance
        report.balancePlans = Quantiles(
            of: try await measureDurations(count: Limits.plans) {
                report.balanceMoves = try await client.planBalance().moves.count
            })
        let host = rig.fleet.hosts[0]
        report.drainPlans = Quantiles(
            of: try await measureDurations(count: Limits.plans) {
                report.drainMoves = try await client.planDrain(of: host).moves.count
            })
    }

    private func measureDurations(count: Int, body: () async throws -> Void) async throws
        -> [Duration]
    {
        var times: [Duration] = []
        for _ in 0..<count {
            let start = Instant.now
            try await body()
            times.append(Instant.now - start)
        }
        return times
    }

    private func measureRestarts(updating report: inout LoadReport) async throws {
        for number in 0..<options.restarts {
            tell("the controller is restarted")
            report.serviceAfterTermSeconds.append(
                try await measureServiceTime(after: SIGTERM, vmName: "after-term-\(number)"))
            report.serviceAfterKillSeconds.append(
                try await measureServiceTime(after: SIGKILL, vmName: "after-kill-\(number)"))
        }
    }

    private func measureServiceTime(after signal: Int32, vmName name: String) async throws -> Double
    {
        let start = Instant.now
        try rig.restartController(signal: signal)
        try await rig.waitUntilLeading()
        try await rig.waitUntilAllHeard()
        let vm = try VMName(name)
        _ = try await rig.client.createVM(with: Self.creationRequest(named: vm))
        try await rig.waitUntil("\(vm) runs", within: Limits.service) {
            try await rig.client.readClusterVM(named: vm).state == .running
        }
        return (Instant.now - start).milliseconds / 1000
    }

    /// What the controller says is there is there, once.
    private func countLostVMs(updating report: inout LoadReport) async throws {
        let client = rig.client
        let vms = try await client.collectAllPages { after throws(ClientError) in
            try await client.listClusterVMs(limit: Limits.pageItems, after: after)
        }
        var places: [VMID: Int] = [:]
        for host in rig.fleet.hosts {
            for vm in rig.fleet.hostedVMs(on: host) { places[vm.id, default: 0] += 1 }
        }
        let expected = report.vms + options.restarts * 2
        report.lostVMs =
            vms.filter { places[$0.id] == nil }.count + max(0, expected - vms.count)
        report.doubledVMs =
            places.values.filter { $0 > 1 }.count
            + max(0, places.count - vms.count)
    }
}
