// Migrations: when they begin and end, what they take, and what becomes of those that cannot be.

import Model
import Placement
import Simulation
import Testing

@Suite("Moves in a run")
struct MoveTests {
    private let costs = MigrationCostModel()

    /// What a VM of so much memory takes over a link that it has for itself, or shares.
    private func prediction(memory: Int, sharers: Double = 1) -> MigrationPrediction {
        let vm = PlacementVM(
            id: VMID(high: 0, low: 0), name: "",
            request: Resources(milliCPUs: 1000, memoryBytes: memory * gibibyte))
        return costs.predictMigration(of: vm, linkBytesPerSecond: 1.25e9 / sharers)
    }

    private func moving(
        _ requests: [VMRequest], _ entries: [Timetable.Entry], on hosts: [PlacementHost],
        seconds: Double = 100
    ) -> Scenario {
        scenario(
            workload(requests, seconds: seconds), on: hosts,
            strategy(moves: Timetable(entries: entries)))
    }

    @Test func `A move takes what the cost model says, and room at both ends until it is over`()
        throws
    {
        let expected = prediction(memory: 4)
        let seconds = expected.duration.expected.seconds
        #expect(seconds > 2)
        let run = try moving(
            [
                request(from: 0, vcpus: 2, memory: 4),
                // While the VM moves it takes half of both hosts; then all of the first is free.
                request(from: 10 + seconds - 0.1, vcpus: 4),
                request(from: 10 + seconds + 0.1, vcpus: 4),
            ], [.init(second: 10, vm: 0, to: 1)], on: hosts(2)
        ).runSimulation()
        #expect(run.refused == 1 && run.placed == 2)
        #expect(run.migrations == 1 && run.migrationsDropped == 0)
        #expect(abs(run.migrationSeconds - seconds) < 1e-8)
        #expect(abs(run.migrationBytes - Double(expected.bytes.expected)) < 1)
        let downtime = expected.downtime.expected.milliseconds
        #expect(abs(run.downtimeMs.sum - downtime) < 1e-6 && run.downtimeMs.count == 1)
        #expect(abs(run.downtimePerVMMs.sum - downtime) < 1e-3)
        // Of a single value every rank is that value.
        #expect(
            run.downtimeMs.p50 == run.downtimeMs.max && run.downtimeMs.p99 == run.downtimeMs.max)
    }

    @Test func `What a VM does not do while it stands still is work left undone`() throws {
        let run = try moving(
            [request(from: 0, vcpus: 2, memory: 4)], [.init(second: 10, vm: 0, to: 1)],
            on: hosts(2)
        ).runSimulation()
        let downtime = prediction(memory: 4).downtime.expected.seconds
        #expect(abs(run.cpuShortfall - downtime / 100) < 1e-12)
    }

    @Test func `The engine's cores are busy at both ends while a VM moves`() throws {
        var quiet = moving(
            [request(from: 0, vcpus: 2, memory: 4)], [.init(second: 10, vm: 0, to: 1)],
            on: hosts(2))
        let before = try quiet.runSimulation()
        quiet.migrationCores = 1
        let after = try quiet.runSimulation()
        // One core of four at 25 W more, twice.
        let more = 2 * 25 * before.migrationSeconds / 3.6e6
        #expect(abs(after.energyKWh.value - before.energyKWh.value - more) < 1e-12)
    }

    @Test func `Moves over one link share it`() throws {
        let run = try moving(
            [request(from: 0, memory: 4), request(from: 0, memory: 4)],
            [.init(second: 10, vm: 0, to: 1), .init(second: 10, vm: 1, to: 1)], on: hosts(2)
        ).runSimulation()
        let seconds = prediction(memory: 4, sharers: 2).duration.expected.seconds
        #expect(run.migrations == 2)
        #expect(abs(run.migrationSeconds - 2 * seconds) < 1e-8)
    }

    @Test func `A limit makes moves wait for each other`() throws {
        var one = moving(
            [request(from: 0, memory: 4), request(from: 0, memory: 4)],
            [.init(second: 10, vm: 0, to: 1), .init(second: 10, vm: 1, to: 1)], on: hosts(2))
        one.limits = MoveLimits(perHost: 1)
        let run = try one.runSimulation()
        let seconds = prediction(memory: 4).duration.expected.seconds
        #expect(run.migrations == 2)
        #expect(abs(run.migrationSeconds - 2 * seconds) < 1e-8)
    }

    @Test func `A wave begins when the one before it is over`() throws {
        // The second has room only when the first has left.
        let entries: [Timetable.Entry] = [
            .init(second: 10, vm: 0, to: 1), .init(second: 10, vm: 1, to: 0, wave: 1),
        ]
        let hosts = [host("a", cores: 4), host("b", cores: 8), host("c", cores: 4)]
        let requests = [
            request(from: 0, vcpus: 4),
            request(from: 0, vcpus: 4) { $0.initialHost = 1 },
        ]
        #expect(try moving(requests, entries, on: hosts).runSimulation().migrations == 2)
        // Side by side it would not have been possible.
        let atOnce = entries.map { entry in
            var entry = entry
            entry.wave = 0
            return entry
        }
        let run = try moving(requests, atOnce, on: hosts).runSimulation()
        #expect(run.migrations == 1 && run.migrationsDropped == 1)
    }

    @Test func `A move without room is dropped and counted`() throws {
        let run = try moving(
            [request(from: 0, vcpus: 3), request(from: 0, vcpus: 3)],
            [.init(second: 10, vm: 0, to: 1)], on: hosts(2)
        ).runSimulation()
        #expect(run.migrations == 0 && run.migrationsDropped == 1)
    }

    @Test func `A VM that leaves while it moves ends the move and frees both ends`() throws {
        let run = try moving(
            [
                request(from: 0, to: 11, vcpus: 2, memory: 4), request(from: 11, vcpus: 4),
                request(from: 11, vcpus: 4),
            ], [.init(second: 10, vm: 0, to: 1)], on: hosts(2)
        ).runSimulation()
        #expect(run.migrations == 0 && run.migrationsAbandoned == 1)
        #expect(run.refused == 0 && run.placed == 3)
        #expect(abs(run.migrationSeconds - 1) < 1e-9)
    }

    @Test func `A plan for a VM that has gone is not carried out on the next in its row`() throws {
        var one = moving(
            [
                request(from: 0, memory: 8), request(from: 0, to: 11),
                request(from: 12),
            ], [.init(second: 10, vm: 0, to: 1), .init(second: 10, vm: 1, to: 1)], on: hosts(2))
        one.limits = MoveLimits(perHost: 1)
        let run = try one.runSimulation()
        #expect(run.migrations == 1 && run.migrationsDropped == 1)
    }

    @Test func `A move that gets the link for itself again becomes faster`() throws {
        // Both leave at once over one link; the smaller is done first.
        let run = try moving(
            [request(from: 0, memory: 2), request(from: 0, memory: 6)],
            [.init(second: 10, vm: 0, to: 1), .init(second: 10, vm: 1, to: 1)], on: hosts(2)
        ).runSimulation()
        let small = prediction(memory: 2, sharers: 2).duration.expected.seconds
        let slow = prediction(memory: 6, sharers: 2).duration.expected.seconds
        let fast = prediction(memory: 6).duration.expected.seconds
        let large = small + (1 - small / slow) * fast
        #expect(abs(run.migrationSeconds - small - large) < 1e-7)
    }

    @Test func `A move that is under way at the end is neither done nor given up`() throws {
        let run = try moving(
            [request(from: 0, memory: 4)], [.init(second: 10, vm: 0, to: 1)], on: hosts(2),
            seconds: 11
        ).runSimulation()
        #expect(run.migrations == 0 && run.migrationsUnfinished == 1)
    }
}
