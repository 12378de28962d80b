// That policies do in a run what they are for: fewer hosts, less energy, less imbalance, each on a workload that asks
// for it.

import Model
import Placement
import Simulation
import Testing

@Suite("What policies achieve")
struct PolicyEffectTests {
    /// Every day a burst of VMs for two hours, and among them a few that stay for weeks.
    private func bursts() -> Workload {
        var lots = SplitMix64(seed: 4)
        var requests: [VMRequest] = []
        for day in 0..<20 {
            for number in 0..<220 {
                let stays = number % 11 == 0
                let arrival = Double(day) * 86_400 + Double(number) * 10
                let life = (stays ? 1_200_000 : 7200) * (0.8 + 0.4 * lots.drawFraction())
                requests.append(
                    request(from: arrival, to: arrival + life, vcpus: 1, memory: 4) {
                        $0.kind = stays ? 2 : 1
                    })
            }
        }
        return workload(requests, seconds: 20 * 86_400)
    }

    /// Busy days and quiet nights of small VMs: nine in ten for half an hour, the others for days.
    private func tides() -> Workload {
        var lots = SplitMix64(seed: 6)
        var requests: [VMRequest] = []
        var seconds = 0.0
        while seconds < 10 * 86_400 {
            let isDay = seconds.truncatingRemainder(dividingBy: 86_400) < 30_000
            seconds += (isDay ? 60 : 600) * 2 * lots.drawFraction()
            let stays = lots.drawNumber(below: 10) == 0
            let life = (stays ? 250_000 : 1800) * (0.5 + lots.drawFraction())
            requests.append(
                request(from: seconds, to: seconds + life, vcpus: 1, memory: 1) {
                    $0.kind = stays ? 2 : 1
                })
        }
        return workload(requests, seconds: 10 * 86_400)
    }

    private func run(
        _ name: String, _ workload: Workload, hosts count: Int,
        _ change: (inout Scenario) -> Void = { _ in }
    ) throws -> RunResult {
        var scene = scenario(
            workload, on: hosts(count), try Strategies.findStrategy(named: name, seed: 1))
        change(&scene)
        return try scene.runSimulation()
    }

    @Test func `Lifetimes that are learnt leave fewer hosts in use, and known ones the fewest`()
        throws
    {
        let names = ["best-fit", "lifetime-aware", "lifetime-oracle"]
        let inUse = try names.map { try run($0, tides(), hosts: 100).hostsInUseMean.value }
        #expect(inUse[1] < 0.98 * inUse[0] && inUse[2] <= inUse[1], "\(inUse)")
    }

    @Test func `Consolidation saves energy by moves that it reckons with`() throws {
        let still = try run("best-fit", bursts(), hosts: 200)
        let moved = try run("consolidate", bursts(), hosts: 200)
        #expect(moved.energyKWh.value < 0.6 * still.energyKWh.value)
        #expect(moved.migrations > 100 && moved.sleeps > 50)
        #expect(moved.refused == 0 && moved.placed == still.placed)
        #expect(moved.hostsInUseMean.value < still.hostsInUseMean.value)
    }

    @Test func `Balance levels what placement by promises leaves uneven`() throws {
        var lots = SplitMix64(seed: 9)
        var busy = workload([], seconds: 7200)
        for number in 0..<60 {
            // Promised is the same everywhere: each host gets two busy VMs or two idle ones.
            let level = Float((number % 2 == 0 ? 0.9 : 0) + 0.1 * lots.drawFraction())
            let series = busy.utilisation.addSeries(
                cpu: [Float](repeating: level, count: 24), every: .seconds(300))
            busy.requests.append(
                request(from: 0, memory: 1 + lots.drawNumber(below: 4)) { $0.series = series })
        }
        let still = try run("worst-fit", busy, hosts: 30)
        let moved = try run("balance", busy, hosts: 30)
        #expect(moved.migrations > 0)
        #expect(moved.imbalanceMean < still.imbalanceMean)
    }

    @Test func `Every strategy serves the same requests with the same result when asked again`()
        throws
    {
        var some = bursts()
        some.requests = Array(some.requests.prefix(440))
        some.end = SimTime(seconds: 2 * 86_400)
        for strategy in Strategies.allStrategies(seed: 5) {
            let results = try (0..<2).map { _ in try run(strategy.name, some, hosts: 100) }
            #expect(results[0] == results[1], "\(strategy.name)")
            #expect(results[0].placed == 440 && results[0].refused == 0, "\(strategy.name)")
        }
    }
}
