// Runs the scenario of a seed and tells whether all that must be true was.

import Host
import Migration
import Model
import Synchronization

/// How one run ended.
package struct RunResult: Sendable {
    package let seed: UInt64
    /// Nil: all was well.
    package let failure: String?
    /// Of every step in order.
    package let hash: UInt64
    package let steps: Int
    /// Only when a readable trace was asked for.
    package let trace: [String]
    package let tally: Tally
    package let migrations: Int
    /// Virtual time.
    package let duration: Duration
    /// What was seen at the hosts until the last migration, which goes without faults, begins; nil when the explorer's
    /// model does not cover the scenario.
    package let record: RunRecord?
}

package enum Simulation {
    /// Runs that were not taken down whole.
    package static var leftOver: Int { World.alive.load(ordering: .relaxed) }

    package static func run(
        _ scenario: Scenario, plant: Plant = .none, isReadable: Bool = false
    ) throws -> RunResult {
        let world = try World(scenario, plant: plant, isReadable: isReadable)
        let process = SimProcess(name: "operator")
        world.scheduler.add(process)
        let op = Operator(world, process)
        world.scheduler.run(process) { op.run() }
        let migrations = world.attempts.count
        world.dissolve()
        let scheduler = world.scheduler
        return RunResult(
            seed: scenario.seed, failure: scheduler.failure, hash: scheduler.trace.hash,
            steps: scheduler.trace.steps, trace: scheduler.trace.lines, tally: world.tally,
            migrations: migrations,
            duration: .nanoseconds(Int64(scheduler.now - Scheduler.start)),
            record: world.recorder?.result)
    }
}

/// Who asks for migrations, and looks at everything when the faults are over. `@unchecked`: whoever holds the
/// baton may touch it.
private final class Operator: @unchecked Sendable {
    private let world: World
    private let runtime: SimRuntime
    private let process: SimProcess

    init(_ world: World, _ process: SimProcess) {
        self.world = world
        self.process = process
        runtime = SimRuntime(
            scheduler: world.scheduler, process: process, network: world.network, host: 0,
            random: SeededRandom(seed: 0))
    }

    func run() {
        // A run that fails ends every wait with an error, and is over.
        do throws(SystemError) {
            world.begin()
            for move in world.plan.moves { try perform(move) }
            world.scheduler.say("healing")
            world.heal()
            try waitUntilIdle()
            world.checkEnd()
            world.recorder?.end(migrations: world.attempts.count)
            try moveOnceMore()
            try stopAgents()
            world.checkNothingIsLeft()
        } catch {}
    }

    private func perform(_ move: MovePlan) throws(SystemError) {
        try runtime.sleep(move.pause, "pause between moves")
        let vm = world.vms[move.vm]
        guard let attempt = begin(vm, move) else {
            return world.scheduler.say("\(vm.spec.name) cannot move now")
        }
        if !move.isOverlapped { try wait(for: attempt) }
    }

    private func begin(_ vm: SimVM, _ move: MovePlan) -> Attempt? {
        guard let owner = world.owners(of: vm).first else { return nil }
        let destination = world.hosts[(owner.index + move.hop) % world.hosts.count]
        guard let attempt = owner.agent?.migrate(vm, to: destination, move) else { return nil }
        world.attempts.append(attempt)
        world.scheduler.say("\(vm.spec.name): \(owner.name) to \(destination.name)")
        return attempt
    }

    private func wait(for attempt: Attempt) throws(SystemError) {
        while !attempt.isOver { try runtime.sleep(.milliseconds(50), "a migration") }
    }

    private func waitUntilIdle() throws(SystemError) {
        for _ in 0..<SettleBounds.looks {
            if world.hosts.allSatisfy({ $0.agent?.isIdle == true }) { return }
            try runtime.sleep(SettleBounds.pause, "peace")
        }
        world.scheduler.fail("no peace after \(SettleBounds.pause * SettleBounds.looks)")
    }

    /// What went wrong before must not be in the way of what comes after.
    private func moveOnceMore() throws(SystemError) {
        let move = MovePlan(
            vm: 0, hop: 1, streams: 2, compression: .none, pause: .zero, isOverlapped: false,
            isRehearsal: false)
        for vm in world.vms {
            guard let attempt = begin(vm, move) else { continue }
            try wait(for: attempt)
            if case .failure(let failure) = attempt.result {
                if case .doesNotConverge = failure.reason { continue }
                world.scheduler.fail("the last migration failed without a fault: \(failure)")
            }
        }
        try waitUntilIdle()
        world.checkEnd()
    }

    private func stopAgents() throws(SystemError) {
        for host in world.hosts {
            guard let agent = host.agent else { continue }
            world.scheduler.start(agent.process, "stop") { agent.stop() }
        }
        for _ in 0..<SettleBounds.looks where world.scheduler.threadNames.count > 1 {
            try runtime.sleep(.milliseconds(100), "the agents' ends")
        }
    }
}

/// How long hosts may take to settle everything once nothing is in their way.
private enum SettleBounds {
    static let pause = Duration.milliseconds(500)
    static let looks = 1200
}
