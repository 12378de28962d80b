// Hosts that sleep, wake, fail and are drained.

import Model
import Placement
import Simulation
import Testing

@Suite("Hosts in a run")
struct HostTests {
    @Test func `An empty host sleeps after a round, and its power with it`() throws {
        var policy = Timetable()
        policy.sleepsWhenEmpty = true
        let run = try scenario(
            workload([request(from: 0, vcpus: 2)], seconds: 100), on: hosts(2),
            strategy(moves: policy)
        ).runSimulation()
        let expected = kilowattHours((100, 125), (10, 100), (90, 10))
        #expect(abs(run.energyKWh.value - expected) < 1e-12)
        #expect(run.sleeps == 1 && run.wakes == 0)
    }

    @Test func `A host is woken for a VM that no other takes, which waits for it`() throws {
        var policy = Timetable()
        policy.sleepsWhenEmpty = true
        var scene = scenario(
            workload([request(from: 0, vcpus: 2), request(from: 50, vcpus: 4)], seconds: 300),
            on: hosts(2), strategy(moves: policy))
        scene.wakeTime = .seconds(100)
        let run = try scene.runSimulation()
        #expect(run.wakes == 1 && run.vmsThatWaited == 1 && run.waitSecondsMean == 100)
        #expect(run.refused == 0 && run.placed == 2)
        // Asleep from 10 to 50, idle until 150 while it wakes, then two busy cores of four.
        let expected = kilowattHours((300, 125), (10, 100), (40, 10), (100, 100), (150, 150))
        #expect(abs(run.energyKWh.value - expected) < 1e-12)
        // Two cores for 100 s were asked for in vain.
        #expect(abs(run.cpuShortfall - 200.0 / (300 + 500)) < 1e-12)
    }

    @Test func `VMs that can do with a host that wakes do not wake another`() throws {
        var policy = Timetable()
        policy.sleepsWhenEmpty = true
        let run = try scenario(
            workload(
                [
                    request(from: 0, vcpus: 4), request(from: 50, vcpus: 2),
                    request(from: 60, vcpus: 2),
                ],
                seconds: 300), on: hosts(3), strategy(moves: policy)
        ).runSimulation()
        #expect(run.sleeps == 2 && run.wakes == 1 && run.vmsThatWaited == 2)
        #expect(run.waitSecondsMean == 115)
    }

    @Test func `A host wakes when its policy wants it`() throws {
        var policy = Timetable()
        policy.sleepsWhenEmpty = true
        policy.alwaysAwake = [1]
        let run = try scenario(
            workload([request(from: 0)], seconds: 15), on: hosts(2), strategy(moves: policy)
        ).runSimulation()
        #expect(run.sleeps == 1 && run.wakes == 1)
    }

    @Test func `The VMs of a host that fails are lost and asked for again at once`() throws {
        var scene = scenario(workload([request(from: 0, vcpus: 2)], seconds: 300), on: hosts(2))
        scene.events = [.fails(0, at: SimTime(seconds: 100), backAfter: .seconds(50))]
        let run = try scene.runSimulation()
        #expect(run.hostFailures == 1 && run.vmsLostToFailures == 1 && run.askedAgain == 1)
        #expect(run.placed == 2 && run.running == 1 && run.requests == 1)
        // The first: 125 W, nothing, idle. The second: idle, then 125 W.
        let expected = kilowattHours((100, 125), (150, 100), (100, 100), (200, 125))
        #expect(abs(run.energyKWh.value - expected) < 1e-12)
        #expect(run.hostsInUseMean.value == 1)
    }

    @Test func `A failure ends the moves from and to its host`() throws {
        var scene = scenario(
            workload([request(from: 0, memory: 4)], seconds: 100), on: hosts(2),
            strategy(moves: Timetable(entries: [.init(second: 10, vm: 0, to: 1)])))
        scene.events = [.fails(1, at: SimTime(seconds: 11), backAfter: .seconds(50))]
        let run = try scene.runSimulation()
        #expect(run.migrations == 0 && run.migrationsAbandoned == 1)
        #expect(run.vmsLostToFailures == 0 && run.running == 1)
    }

    @Test func `A drained host is emptied by migration, is away, and takes VMs again`() throws {
        var scene = scenario(
            workload(
                [
                    request(from: 0, vcpus: 2, memory: 4), request(from: 130, to: 131, vcpus: 4),
                    request(from: 170, vcpus: 4),
                ], seconds: 300), on: hosts(2))
        scene.events = [.drained(0, at: SimTime(seconds: 100), maintenance: .seconds(50))]
        let run = try scene.runSimulation()
        let vm = PlacementVM(
            id: VMID(high: 0, low: 0), name: "",
            request: Resources(milliCPUs: 2000, memoryBytes: 4 * gibibyte))
        let seconds = MigrationCostModel().predictMigration(of: vm, linkBytesPerSecond: 1.25e9)
            .duration.expected
            .seconds
        #expect(run.drains == 1 && run.drainsIncomplete == 0 && run.migrations == 1)
        #expect(abs(run.drainSecondsMean - seconds) < 1e-8)
        // In maintenance until about 153: the VM at 130 finds no room.
        #expect(run.refused == 1 && run.placed == 2)
    }

    @Test func `Hosts that are drained together do not send their VMs to each other`() throws {
        var scene = scenario(
            workload(
                [
                    request(from: 0, memory: 4), request(from: 0, memory: 4) { $0.initialHost = 1 },
                    request(from: 0, vcpus: 2, memory: 2) { $0.initialHost = 2 },
                ], seconds: 100), on: hosts(3))
        scene.events = (0...1).map {
            .drained($0, at: SimTime(seconds: 10), maintenance: .seconds(50))
        }
        let run = try scene.runSimulation()
        #expect(run.drains == 2 && run.drainsIncomplete == 0)
        #expect(run.migrations == 2 && run.migrationsDropped == 0)
    }

    @Test func `A drained host that its VMs leave by themselves is away at once`() throws {
        var scene = scenario(workload([request(from: 0, to: 130)], seconds: 1000), on: hosts(1))
        scene.events = [.drained(0, at: SimTime(seconds: 100), maintenance: .seconds(50))]
        let run = try scene.runSimulation()
        #expect(run.drainsIncomplete == 0 && run.drainSecondsMean == 30)
    }

    @Test func `VMs that belong together leave a drained host together, whatever the limits`()
        throws
    {
        var load = workload(
            [
                request(from: 0, memory: 2), request(from: 0, memory: 2),
                request(from: 0, memory: 2),
            ],
            seconds: 100)
        load.groups = [AffinityGroup(name: "pair", kind: .together)]
        load.groupSets = [[], [0]]
        for vm in 1...2 { load.requests[vm].groupSet = 1 }
        var scene = scenario(load, on: hosts(2))
        scene.limits = MoveLimits(perHost: 1, perLink: 1, perCluster: 1)
        scene.events = [.drained(0, at: SimTime(seconds: 10), maintenance: .seconds(50))]
        let run = try scene.runSimulation()
        #expect(run.migrations == 3 && run.migrationsDropped == 0 && run.drainsIncomplete == 0)
        // Two at once over half a link each, and one alone.
        let vm = PlacementVM(
            id: VMID(high: 0, low: 0), name: "",
            request: Resources(milliCPUs: 1000, memoryBytes: 2 * gibibyte))
        let alone = MigrationCostModel().predictMigration(of: vm, linkBytesPerSecond: 1.25e9)
        let paired = MigrationCostModel().predictMigration(of: vm, linkBytesPerSecond: 0.625e9)
        let expected =
            alone.duration.expected.seconds + 2 * paired.duration.expected.seconds
        #expect(abs(run.migrationSeconds - expected) < 1e-7)
    }

    @Test func `A drain that cannot be completed ends, and its host goes back to work`() throws {
        var scene = scenario(
            workload([request(from: 0), request(from: 900)], seconds: 1000), on: hosts(1))
        scene.events = [.drained(0, at: SimTime(seconds: 100), maintenance: .seconds(50))]
        let run = try scene.runSimulation()
        #expect(run.drains == 1 && run.drainsIncomplete == 1 && run.drainSecondsMean == 0)
        #expect(run.placed == 2)
    }

    @Test func `Two drains over one switch share it`() throws {
        var three = hosts(3)
        for index in three.indices { three[index].link = "switch" }
        var scene = scenario(
            workload(
                [
                    request(from: 0, vcpus: 2, memory: 4),
                    request(from: 0, vcpus: 2, memory: 4) { $0.initialHost = 1 },
                ], seconds: 100), on: three)
        scene.events = [
            .drained(0, at: SimTime(seconds: 10), maintenance: .seconds(50)),
            .drained(1, at: SimTime(seconds: 11), maintenance: .seconds(50)),
        ]
        let run = try scene.runSimulation()
        let vm = PlacementVM(
            id: VMID(high: 0, low: 0), name: "",
            request: Resources(milliCPUs: 2000, memoryBytes: 4 * gibibyte))
        let (fast, slow) = (
            MigrationCostModel().predictMigration(of: vm, linkBytesPerSecond: 1.25e9).duration
                .expected.seconds,
            MigrationCostModel().predictMigration(of: vm, linkBytesPerSecond: 0.625e9).duration
                .expected.seconds
        )
        // The first is alone for a second; then both are slow until it is done; then the second is alone.
        let first = 1 + (1 - 1 / fast) * slow
        let second = (first - 1) + (1 - (first - 1) / slow) * fast
        #expect(run.drains == 2 && run.migrations == 2)
        #expect(abs(run.drainSecondsMean - (first + second) / 2) < 1e-7)
    }

    @Test func `A host that is away is not hit again`() throws {
        var scene = scenario(workload([request(from: 0)], seconds: 100), on: hosts(2))
        scene.events = [
            .fails(1, at: SimTime(seconds: 10), backAfter: .seconds(50)),
            .fails(1, at: SimTime(seconds: 20), backAfter: .seconds(50)),
            .drained(1, at: SimTime(seconds: 30), maintenance: .seconds(50)),
        ]
        let run = try scene.runSimulation()
        #expect(run.hostFailures == 1 && run.drains == 0)
        #expect(run.notes.contains { $0.hasPrefix("2 ") })
    }
}
