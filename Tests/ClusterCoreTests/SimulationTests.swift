// Whole clusters in virtual time, by seed: hosts and controllers die, messages are lost, owners and operators go on.

import API
import ClusterCore
import Foundation
import Model
import Testing

/// What a seed came to; nil: all was well.
func simulate(seed: UInt64, plant: Plant? = nil, isTold: Bool = false) throws -> String? {
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
    world.isJournalKept = isTold
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
    /// FERRY_SEEDS: "60" for so many, "412..<413" for these.
    private static var seeds: Range<UInt64> {
        let text = ProcessInfo.processInfo.environment["FERRY_SEEDS"] ?? "60"
        let ends = text.split(separator: "..<").compactMap { UInt64($0) }
        return ends.count == 2 ? ends[0]..<ends[1] : 0..<(ends.first ?? 0)
    }

    @Test func `Clusters whose hosts and controllers die keep every promise`() throws {
        for seed in Self.seeds {
            let wrong = try simulate(seed: seed, isTold: Self.seeds.count == 1)
            #expect(wrong == nil, "seed \(seed)")
        }
    }

    @Test(arguments: Plant.allCases)
    func `A mistake that is put in is found`(plant: Plant) throws {
        let found = try (0..<60).first { try simulate(seed: $0, plant: plant) != nil }
        #expect(found != nil, "\(plant)")
    }
}
