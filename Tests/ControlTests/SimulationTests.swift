// Whole clusters in virtual time, by seed: hosts and controllers die, messages are lost, owners and operators go on.

import API
import Control
import Foundation
import Model
import Testing

/// What a seed came to; nil: all was well.
func simulate(seed: UInt64, plant: Plant? = nil) throws -> String? {
    let world = try World(hosts: 6, seed: seed, plant: plant, balance: .auto) {
        $0.memoryBytes = 24 << 30
    }
    if plant == .limitsAreIgnored {
        world.setBalance {
            $0.perHost = 50
            $0.perCluster = 50
        }
    }
    world.setBalance {
        $0.intervalSeconds = 5
        $0.startAbove = 0.02
        $0.settleAt = 0.01
        $0.coolDownSeconds = 20
        $0.returnBarSeconds = 60
    }
    world.run(for: .seconds(3))
    world.trouble = Trouble(
        lostMessages: 30, lostAnswers: 30, failedMigrations: 150, brokenHandovers: 100, crashes: 4)
    for number in 0..<240 {
        world.doSomething(number)
        if world.chance(60) { world.breakSomething() }
        world.run(for: world.milliseconds(100...900))
        if let wrong = world.wrong { return wrong }
    }
    world.trouble = .none
    let isAtRest = world.run(atMost: .seconds(600), lookingEvery: .seconds(2)) { world in
        world.now > .seconds(180) && world.isAtRest
    }
    return world.wrong ?? (isAtRest ? nil : world.unrest ?? "it does not come to rest")
}

@Suite struct SimulationTests {
    /// A seed that fails is run again by its number alone.
    /// FERRY_SEEDS: how many.
    @Test(arguments: 0..<(Int(ProcessInfo.processInfo.environment["FERRY_SEEDS"] ?? "") ?? 50) / 10)
    func `Clusters whose hosts and controllers die keep every promise`(part: Int) throws {
        for seed in UInt64(part * 10)..<UInt64(part * 10 + 10) {
            let wrong = try simulate(seed: seed)
            #expect(wrong == nil, "seed \(seed)")
        }
    }

    @Test(arguments: Plant.allCases)
    func `A mistake that is put in is found`(plant: Plant) throws {
        let found = try (0..<60).first { try simulate(seed: $0, plant: plant) != nil }
        #expect(found != nil, "\(plant)")
    }
}
