// How long large runs take: printed, not judged, but for what the run has done.

import Model
import Placement
import Simulation
import Testing

@Suite("Speed of runs", .serialized)
struct SimulationSpeedTests {
    @Test func `A million VMs come to 100,000 hosts and go`() throws {
        var lots = SplitMix64(seed: 1)
        var many = Workload(name: "a million", end: .never)
        for number in 0..<1_000_000 {
            let arrival = 0.3 * Double(number)
            let life = 60_000 + 240_000 * lots.drawFraction()
            many.requests.append(
                request(
                    from: arrival, to: arrival + life, vcpus: 1 << lots.drawNumber(below: 5),
                    memory: 1 << lots.drawNumber(below: 7)))
        }
        let scene = scenario(many, on: hosts(100_000, cores: 64, memory: 256), strategy(BestFit()))
        var run: RunResult?
        let time = try ContinuousClock().measure { run = try scene.runSimulation() }
        let result = try #require(run)
        print(
            "a million VMs, 100,000 hosts, best fit: \(time), \(result.hostsInUseMax), "
                + "mean \(result.hostsInUseMean)")
        #expect(result.placed == 1_000_000 && result.departed == 1_000_000)
    }

    @Test func `A day of 1,000 hosts and 10,000 VMs with utilisation every five minutes`() throws {
        var lots = SplitMix64(seed: 2)
        var day = Workload(name: "a day", end: SimTime(seconds: 86_400))
        for _ in 0..<10_000 {
            var level = Float(lots.drawFraction())
            let samples = (0..<288).map { _ in
                level = min(1, max(0, level + Float(lots.drawFraction() - 0.5) * 0.2))
                return level
            }
            let series = day.utilisation.addSeries(cpu: samples, every: .seconds(300))
            day.requests.append(
                request(
                    from: 0, vcpus: 1 << lots.drawNumber(below: 4),
                    memory: 1 << lots.drawNumber(below: 5)
                ) { $0.series = series })
        }
        for policy in [BestFit() as any PlacementPolicy, LeastLoaded()] {
            let scene = scenario(day, on: hosts(1000, cores: 64, memory: 256), strategy(policy))
            var run: RunResult?
            let time = try ContinuousClock().measure { run = try scene.runSimulation() }
            let result = try #require(run)
            print("a day of 1,000 hosts and 10,000 VMs, \(policy.name): \(time)")
            #expect(result.placed == 10_000 && result.course.count == 289)
        }
    }
}
