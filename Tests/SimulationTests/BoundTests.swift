// No result beats its bound; the bound is at most the optimum; the same scenario gives the same result; nothing is lost.

import Model
import Placement
import Simulation
import Testing

@Suite("Bounds, sums and repetition")
struct BoundTests {
    @Test(arguments: UInt64(0)..<120)
    func `Random runs of every policy keep their bounds, add up and repeat`(seed: UInt64) throws {
        for strategy in Strategies.allStrategies(seed: seed) {
            let scene = randomScenario(seed: seed, strategy)
            let run = try scene.runSimulation()
            expectBounds(run)
            expectSums(run, scene)
            #expect(try scene.runSimulation() == run)
        }
    }

    private func expectBounds(_ run: RunResult) {
        for (name, figure) in [
            ("hosts in use at most", run.hostsInUseMax), ("on average", run.hostsInUseMean),
            ("energy", run.energyKWh),
        ] {
            #expect(
                (figure.bound ?? 0) <= figure.value, "\(run.strategy), \(run.workload): \(name)")
            #expect((figure.bound ?? 0) >= 0)
        }
        for share in [
            run.cpuShortfall, run.overloadedShare, run.cpuStranded, run.memoryStranded,
        ] { #expect(share >= 0 && share <= 1 + 1e-9) }
    }

    private func expectSums(_ run: RunResult, _ scene: Scenario) {
        #expect(run.requests == scene.workload.requests.count)
        #expect(run.requests + run.askedAgain == run.placed + run.refused)
        #expect(run.placed == run.departed + run.running + run.vmsLostToFailures)
        #expect(run.askedAgain == run.vmsLostToFailures)
        #expect(run.downtimeMs.count == run.migrations)
        #expect(run.downtimeMs.counts.reduce(0, +) == run.downtimeMs.count)
        #expect(abs(run.downtimePerVMMs.sum - run.downtimeMs.sum) <= 1e-5 * run.downtimeMs.sum)
        expectInOrder(run.downtimeMs)
        expectInOrder(run.downtimePerVMMs)
        #expect(run.wakes <= run.sleeps)
        #expect(run.drainsIncomplete <= run.drains)
    }

    private func expectInOrder(_ spread: Distribution) {
        let ranks = [spread.min, spread.p50, spread.p90, spread.p99, spread.max]
        #expect(ranks == ranks.sorted())
        #expect(spread.edges == spread.edges.sorted())
        #expect(spread.counts.isEmpty || spread.counts.count == spread.edges.count + 1)
    }

    @Test(arguments: UInt64(0)..<200)
    func `The bound on hosts is at most the best packing, which no policy beats`(seed: UInt64)
        throws
    {
        var lots = SplitMix64(seed: seed)
        let hosts = (0..<lots.number(1...4)).map {
            host("h\($0)", cores: lots.number(4...12), memory: lots.number(8...24))
        }
        let requests = (0..<lots.number(1...8)).map { _ in
            request(from: 0, vcpus: lots.number(1...7), memory: lots.number(1...14))
        }
        guard let best = Packing(hosts, requests).leastHosts else { return }
        for strategy in Strategies.allStrategies(seed: seed) {
            let run = try scenario(workload(requests, seconds: 100), on: hosts, strategy)
                .runSimulation()
            guard run.refused == 0, run.migrations == 0 else { continue }
            let bound = try #require(run.hostsInUseMax.bound)
            #expect(bound <= Double(best) && Double(best) <= run.hostsInUseMax.value)
        }
    }

    @Test(arguments: UInt64(0)..<100)
    func `The bound on energy is at most that of the best placement`(seed: UInt64) throws {
        var lots = SplitMix64(seed: seed)
        let hosts = (0..<lots.number(1...4)).map {
            host("h\($0)", cores: lots.number(4...12), memory: 64)
        }
        let requests = (0..<lots.number(1...6)).map { _ in
            request(from: 0, vcpus: lots.number(1...4))
        }
        var scene = scenario(workload(requests, seconds: 3600), on: hosts)
        scene.power = hosts.map { _ in
            let idle = 50 + 100 * lots.drawFraction()
            let step = 20 * lots.drawFraction()
            return PowerCurve(watts: (0...10).map { idle + step * Double($0) }, asleep: 5)
        }
        let packing = Packing(hosts, requests)
        let best = packing.leastWatts(scene.power, busyShare: scene.assumedBusyShare) / 1000
        let run = try scene.runSimulation()
        guard run.refused == 0 else { return }
        let bound = try #require(run.energyKWh.bound)
        #expect(bound <= best * (1 + 1e-9))
        #expect(run.energyKWh.value >= best * (1 - 1e-9))
    }

    @Test func `Work is served at the best place on the curve where one host is enough`() throws {
        // Idle at 100 W, three quarters busy at 110 W, then steep: with many VMs both hosts at three quarters are best.
        let curve = PowerCurve(
            watts: [100, 101, 102, 103, 104, 105, 106, 108, 150, 200, 300], asleep: 0)
        var scene = scenario(
            workload((0..<12).map { _ in request(from: 0, vcpus: 1) }, seconds: 3600),
            on: hosts(3, cores: 10), strategy(WorstFit()))
        scene.assumedBusyShare = 1
        scene.power = [curve]
        let bound = try #require(try scene.runSimulation().energyKWh.bound)
        // Twelve cores at 108 W for seven; two hosts in use at 100 W and 1 W a core would be 212 W.
        #expect(abs(bound - 0.212) < 1e-6)
    }

    @Test func `Large VMs are not counted by their volume alone`() throws {
        // Three VMs of 60 % of a host need three hosts, though their volume is that of two.
        let run = try scenario(
            workload((0..<3).map { _ in request(from: 0, vcpus: 6, memory: 1) }, seconds: 10),
            on: hosts(5, cores: 10)
        ).runSimulation()
        #expect(run.hostsInUseMax == Bounded(3, bound: 3))
    }

    @Test func `VMs large in one dimension each are counted together`() throws {
        // Two have most of the CPU, two most of the memory, and each has a third of the other: no two fit on one host.
        let wide = (0..<2).map { _ in request(from: 0, vcpus: 8, memory: 4) }
        let tall = (0..<2).map { _ in request(from: 0, vcpus: 4, memory: 8) }
        let run = try scenario(
            workload(wide + tall, seconds: 10), on: hosts(6, cores: 10, memory: 10)
        ).runSimulation()
        #expect(run.hostsInUseMax == Bounded(4, bound: 4))
    }

    @Test func `A small host counts for less than a large one`() throws {
        let mixed = [host("s1", cores: 2), host("s2", cores: 2), host("l", cores: 8)]
        let run = try scenario(
            workload((0..<10).map { _ in request(from: 0) }, seconds: 10), on: mixed
        ).runSimulation()
        #expect(run.hostsInUseMax.bound == 2)
    }
}

/// The best of all placements of a few VMs, by trying each.
private struct Packing {
    private let hosts: [PlacementHost]
    private let requests: [VMRequest]

    init(_ hosts: [PlacementHost], _ requests: [VMRequest]) {
        self.hosts = hosts
        self.requests = requests
    }

    /// Nil: the hosts do not hold them all.
    var leastHosts: Int? {
        var best: Int?
        visit { used in
            let count = used.filter { $0.milliCPUs > 0 }.count
            best = min(best ?? count, count)
        }
        return best
    }

    func leastWatts(_ curves: [PowerCurve], busyShare: Double) -> Double {
        var best = Double.infinity
        visit { used in
            var watts = 0.0
            for (host, used) in used.enumerated() {
                let share =
                    Double(used.milliCPUs) * busyShare / Double(hosts[host].capacity.milliCPUs)
                watts += share > 0 ? curves[host].wattsDrawn(at: share) : curves[host].asleep
            }
            best = min(best, watts)
        }
        return best
    }

    private func visit(_ each: ([Resources]) -> Void) {
        var used = hosts.map { _ in Resources.none }
        place(0, &used, each)
    }

    private func place(_ vm: Int, _ used: inout [Resources], _ each: ([Resources]) -> Void) {
        guard vm < requests.count else { return each(used) }
        for host in hosts.indices {
            let sum = used[host] + requests[vm].request
            guard sum.isContained(in: hosts[host].limit) else { continue }
            used[host] = sum
            place(vm + 1, &used, each)
            used[host] = used[host] - requests[vm].request
        }
    }
}
