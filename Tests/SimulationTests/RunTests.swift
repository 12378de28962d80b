// VMs that come and go, their load and its energy, computed by hand.

import Model
import Placement
import Simulation
import Testing

@Suite("Runs of VMs that come and go")
struct RunTests {
    @Test func `One VM on one host draws what its load draws while it runs`() throws {
        // Two vCPUs, half busy: one core of four, 125 W; then idle, 100 W.
        let run = try scenario(
            workload([request(from: 0, to: 1000, vcpus: 2)], seconds: 2000), on: hosts(1)
        ).runSimulation()
        #expect(abs(run.energyKWh.value - kilowattHours((1000, 125), (1000, 100))) < 1e-12)
        // While the VM runs a host must be awake, which draws what this one does; then it could sleep.
        let bound = kilowattHours((1000, 125), (1000, 10))
        #expect(abs((run.energyKWh.bound ?? 0) - bound) < 1e-9)
        #expect(run.hostsInUseMax == Bounded(1, bound: 1))
        #expect(run.hostsInUseMean == Bounded(0.5, bound: 0.5))
        #expect(run.emptyHostsMean == 0.5)
        #expect(run.placed == 1 && run.departed == 1 && run.running == 0)
        #expect(run.cpuShortfall == 0 && run.overloadedShare == 0)
    }

    @Test func `A cluster without VMs yet draws idle power and has no host in use`() throws {
        let run = try scenario(
            workload([request(from: 3600)], seconds: 3600), on: hosts(3)
        ).runSimulation()
        #expect(abs(run.energyKWh.value - 0.3) < 1e-12)
        #expect(run.hostsInUseMean.value == 0)
        #expect(run.running == 1)
    }

    @Test func `A VM that no host takes is refused once, and what was promised then is noted`()
        throws
    {
        let run = try scenario(
            workload(
                [request(from: 0, to: 50, vcpus: 3, memory: 4), request(from: 10, vcpus: 3)],
                seconds: 100), on: hosts(1)
        ).runSimulation()
        #expect(run.requests == 2 && run.placed == 1 && run.refused == 1)
        #expect(run.cpuShareAtFirstRefusal == 0.75)
        #expect(run.memoryShareAtFirstRefusal == 0.25)
    }

    @Test func `What departs at a moment makes room for what arrives then`() throws {
        let run = try scenario(
            workload(
                [request(from: 0, to: 100, vcpus: 4), request(from: 100, vcpus: 4)], seconds: 200),
            on: hosts(1)
        ).runSimulation()
        #expect(run.refused == 0 && run.hostsInUseMean.value == 1)
    }

    @Test func `A VM that departs as it arrives has come and gone`() throws {
        let run = try scenario(
            workload(
                [request(from: 10, to: 10, vcpus: 4), request(from: 10, vcpus: 4)], seconds: 20),
            on: hosts(1)
        ).runSimulation()
        #expect(run.placed == 2 && run.departed == 1 && run.running == 1)
    }

    @Test func `CPU is stranded on hosts without memory for the smallest VM`() throws {
        let run = try scenario(
            workload(
                [request(from: 0, to: 50, memory: 16), request(from: 0, to: 0)], seconds: 100),
            on: hosts(1)
        ).runSimulation()
        // Three of four cores, half of the time.
        #expect(run.cpuStranded == 0.375 && run.memoryStranded == 0)
    }

    @Test func `Work that does not fit on the cores is not done, and its host is overloaded`()
        throws
    {
        var load = workload([], seconds: 600)
        load.utilisation = Utilisation()
        let series = load.utilisation.addSeries(cpu: [1, 0.25], every: .seconds(300))
        load.requests = [request(from: 0, vcpus: 8) { $0.series = series }]
        let run = try scenario(load, on: [host("h", cores: 4) { $0.cpuOvercommit = 2 }])
            .runSimulation()
        // Eight cores asked of four, then two.
        #expect(abs(run.cpuShortfall - 1200.0 / 3000) < 1e-12)
        #expect(run.overloadedShare == 0.5)
        #expect(abs(run.energyKWh.value - kilowattHours((300, 200), (300, 150))) < 1e-12)
    }

    @Test func `The host's own load counts as its VMs' does`() throws {
        let hosts = [host("h", cores: 4) { $0.ownUse = MeasuredUse(cores: 3.5, memoryBytes: 0) }]
        let run = try scenario(
            workload([request(from: 0, vcpus: 2)], seconds: 100), on: hosts
        ).runSimulation()
        // One core asked, half of it given.
        #expect(abs(run.cpuShortfall - 0.5) < 1e-12)
        #expect(abs(run.energyKWh.value - 100 * 200 / 3.6e6) < 1e-12)
    }

    @Test func `VMs stand where the workload has them at the start`() throws {
        let standing = request(from: 0, vcpus: 2) { $0.initialHost = 1 }
        let run = try scenario(
            workload([standing, request(from: 10, vcpus: 4)], seconds: 20), on: hosts(2)
        ).runSimulation()
        // The second takes all of the first host, which first fit would have given to the first.
        #expect(run.refused == 0 && run.hostsInUseMax.value == 2)
    }

    @Test func `A reading of constant load changes nothing`() throws {
        var load = workload([], seconds: 3600)
        load.utilisation = Utilisation()
        let series = load.utilisation.addSeries(cpu: [0.5], every: .seconds(300))
        load.requests = (0..<6).map { number in
            request(from: Double(100 * number), to: Double(1700 + number), vcpus: 2) {
                $0.series = series
            }
        }
        var often = scenario(load, on: hosts(3))
        often.samplingInterval = .seconds(7)
        var seldom = often
        seldom.samplingInterval = .seconds(3000)
        let (first, second) = (try often.runSimulation(), try seldom.runSimulation())
        #expect(abs(first.energyKWh.value - second.energyKWh.value) < 1e-9)
        #expect(first.hostsInUseMean == second.hostsInUseMean)
    }

    @Test func `The imbalance of the course is the controller's figure over hosts in use`() throws {
        let mixed = [host("a", cores: 8, memory: 32), host("b", cores: 4), host("c")]
        let requests = [
            request(from: 0, vcpus: 3, memory: 5), request(from: 0, vcpus: 4, memory: 9),
            request(from: 0, vcpus: 3, memory: 2),
        ]
        let run = try scenario(workload(requests, seconds: 10), on: mixed).runSimulation()
        var cluster = ClusterState(assumedBusyShare: 0.5)
        for host in mixed { try cluster.registerHost(host) }
        for (number, request) in requests.enumerated() {
            let vm = try cluster.registerVM(
                PlacementVM(
                    id: VMID(high: 0, low: UInt64(number)), name: "\(number)",
                    request: request.request))
            cluster.assignVM(vm, to: try #require(cluster.chooseHost(for: vm, using: FirstFit())))
        }
        let spread = LoadSpread(of: cluster) { cluster.hostedVMCount(on: $0) > 0 }
        let sample = try #require(run.course.first)
        #expect(sample.imbalance > 0 && abs(sample.imbalance - spread.score) < 1e-12)
    }

    @Test func `The course has no more samples than asked for and the heat map a column for each`()
        throws
    {
        var day = scenario(workload([request(from: 0)], seconds: 86_400), on: hosts(10))
        day.courseSamplesMax = 100
        day.heatRowsMax = 4
        let run = try day.runSimulation()
        #expect(run.course.count <= 100 && run.course.count > 50)
        #expect(run.heat.rows.count == 4 && run.heat.hostsPerRow == 3)
        #expect(run.heat.rows.allSatisfy { $0.count == run.course.count })
        #expect(run.course.first?.hostsInUse == 1)
    }
}

@Suite("What a run must be told")
struct ScenarioTests {
    @Test func `Progress rises to the end of time, and whoever follows it can end the run`() throws
    {
        let long = scenario(
            workload(
                (0..<1000).map { request(from: Double($0), to: Double($0) + 5) }, seconds: 1000),
            on: hosts(3))
        var seen: [Double] = []
        _ = try long.runSimulation { progress in
            seen.append(progress.fraction)
            return true
        }
        #expect(seen == seen.sorted() && seen.count > 100 && seen.count <= 402)
        var calls = 0
        #expect(throws: SimulationError.self) {
            try long.runSimulation { _ in
                calls += 1
                return calls < 3
            }
        }
        #expect(calls == 3)
    }

    @Test func `A scenario that makes no sense is refused with the reason`() throws {
        let good = scenario(workload([request(from: 0)], seconds: 10), on: hosts(2))
        var bad = good
        bad.hosts = []
        #expect(throws: SimulationError.noHosts) { try bad.runSimulation() }
        bad = good
        bad.workload.requests = []
        #expect(throws: SimulationError.noRequests(workload: "by hand")) { try bad.runSimulation() }
        bad = good
        bad.power = []
        #expect(throws: SimulationError.self) { try bad.runSimulation() }
        bad = good
        bad.workload.requests = [request(from: 5), request(from: 4)]
        #expect(throws: SimulationError.self) { try bad.runSimulation() }
        bad = good
        bad.events = [.fails(7, at: .start, backAfter: .seconds(1))]
        #expect(throws: SimulationError.self) { try bad.runSimulation() }
        bad = good
        bad.hosts[1].name = bad.hosts[0].name
        #expect(throws: SimulationError.badHost(.duplicateHost("h0"))) { try bad.runSimulation() }
        bad = good
        bad.hosts[1].memoryOvercommit = .nan
        #expect(throws: SimulationError.badHost(.badFigure("memory overcommit", of: "h1"))) {
            try bad.runSimulation()
        }
        bad = good
        bad.hosts = (0..<1024).map { host("h\($0)", memory: 1 << 22) }
        #expect(throws: SimulationError.self) { try bad.runSimulation() }
        bad = good
        bad.samplingInterval = .nanoseconds(1)
        #expect(throws: SimulationError.self) { try bad.runSimulation() }
        bad = good
        bad.workload.requests[0].series = 3
        #expect(throws: SimulationError.self) { try bad.runSimulation() }
    }

    @Test func `Without an end a run ends with the last thing that its workload knows`() throws {
        var open = workload([request(from: 0, to: 70), request(from: 40)], seconds: 0)
        open.end = .never
        #expect(try scenario(open, on: hosts(1)).runSimulation().seconds == 70)
    }
}
