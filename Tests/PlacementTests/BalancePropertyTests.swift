// What holds for every balance plan on every cluster.

import Model
import Placement
import Testing

@Suite("Balance on random clusters")
struct BalancePropertyTests {
    private func rules(_ seed: UInt64) -> BalanceRules {
        var lots = SplitMix64(seed: seed)
        var rules = BalanceRules()
        rules.startAbove = 0.02
        rules.settleAt = 0.01
        rules.movesMax = 1 + lots.drawNumber(below: 60)
        rules.limits = MoveLimits(
            perHost: 1 + lots.drawNumber(below: 3), perLink: 1 + lots.drawNumber(below: 4),
            perCluster: 1 + lots.drawNumber(below: 8))
        rules.isExhaustive = lots.drawNumber(below: 3) == 0
        return rules
    }

    @Test(arguments: 0..<60 as Range<UInt64>)
    func `Every plan lowers the imbalance as it says and breaks no rule on the way`(seed: UInt64)
        throws
    {
        let size = 6 + Int(seed) * 2
        var state = try RandomCluster(seed: seed, hosts: size, vms: size * 6).state
        #expect(state.ruleViolation() == nil)
        let plan = state.planBalance(rules: rules(seed))
        let figure = { (state: ClusterState) in LoadSpread(of: state) { _ in true }.score }
        #expect(abs(figure(state) - plan.before) < 1e-9)
        let before = state.places
        plan.moves.applyMoves(to: &state) { state in
            #expect(state.ruleViolation() == nil)
        }
        #expect(abs(figure(state) - plan.after) < 1e-9)
        #expect(state.sumMismatch() == nil)
        #expect(plan.moves.left.isEmpty)
        if plan.moves.moves.isEmpty {
            #expect(plan.after == plan.before && state.places == before)
        } else {
            #expect(plan.after < plan.before)
        }
    }

    @Test(arguments: 0..<40 as Range<UInt64>)
    func `Waves keep the limits`(seed: UInt64) throws {
        let state = try RandomCluster(seed: seed, hosts: 30, vms: 200).state
        let rules = rules(seed)
        let moves = state.planBalance(rules: rules).moves
        for wave in 0..<moves.waves {
            let now = moves.moves.filter { $0.wave == wave }
            #expect(!now.isEmpty && now.count <= rules.limits.perCluster)
            var hosts: [HostIndex: Int] = [:]
            var links: [String: Int] = [:]
            for move in now {
                for host in [move.from, move.to] { hosts[host, default: 0] += 1 }
                let ends = Set([move.from, move.to].map { state.hosts[$0].link }).subtracting([""])
                for link in ends { links[link, default: 0] += 1 }
            }
            #expect(hosts.values.allSatisfy { $0 <= rules.limits.perHost })
            #expect(links.values.allSatisfy { $0 <= rules.limits.perLink })
        }
    }

    @Test(arguments: 0..<40 as Range<UInt64>)
    func `Runs in a row end, and never move a VM back to a host it was on`(seed: UInt64) throws {
        var state = try RandomCluster(seed: seed, hosts: 12, vms: 90).state
        var rules = rules(seed)
        rules.coolDown = .seconds(60)
        var previous: [VMIndex: HostIndex] = [:]
        var isQuiet = false
        for _ in 0..<60 where !isQuiet {
            let plan = state.planBalance(rules: rules)
            for move in plan.moves.moves {
                #expect(move.to != previous[move.vm], "\(move.vm) goes back")
                previous[move.vm] = move.from
            }
            plan.moves.applyMoves(to: &state)
            state.ageLastMoves(by: .seconds(600))
            isQuiet = plan.moves.moves.isEmpty
        }
        #expect(isQuiet, "it still moves VMs after 60 runs under constant load")
    }

    @Test(arguments: 0..<10 as Range<UInt64>)
    func `The same cluster gives the same plan`(seed: UInt64) throws {
        let plans = try (0..<2).map { _ in
            try RandomCluster(seed: seed, hosts: 25, vms: 150).state.planBalance(rules: rules(seed))
        }
        #expect(plans[0] == plans[1])
    }
}
