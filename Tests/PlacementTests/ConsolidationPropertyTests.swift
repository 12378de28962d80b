// What holds for every consolidation plan on every cluster.

import Model
import Placement
import Testing

@Suite("Consolidation on random clusters")
struct ConsolidationPropertyTests {
    private func rules(_ seed: UInt64) -> ConsolidationRules {
        var lots = SplitMix64(seed: seed)
        var rules = ConsolidationRules()
        rules.cpuMax = 0.5 + lots.drawFraction() / 2
        rules.memoryMax = 0.5 + lots.drawFraction() / 2
        rules.price.horizon = .seconds(300 << lots.drawNumber(below: 5))
        rules.movesMax = 1 + lots.drawNumber(below: 100)
        rules.limits = MoveLimits(
            perHost: 1 + lots.drawNumber(below: 3), perLink: 1 + lots.drawNumber(below: 4),
            perCluster: 1 + lots.drawNumber(below: 8))
        return rules
    }

    private func cluster(_ seed: UInt64) throws -> RandomCluster {
        let size = 6 + Int(seed) * 2
        return try RandomCluster(seed: seed, hosts: size, vms: size * (2 + Int(seed % 4)))
    }

    @Test(arguments: 0..<60 as Range<UInt64>)
    func `Every plan empties whole hosts, breaks no rule on the way and repays its moves`(
        seed: UInt64
    ) throws {
        var state = try cluster(seed).state
        let rules = rules(seed)
        let plan = state.planConsolidation(rules: rules)
        let before = state
        plan.moves.applyMoves(to: &state) { #expect($0.ruleViolation() == nil) }
        #expect(state.sumMismatch() == nil)
        #expect(plan.moves.left.isEmpty && plan.moves.moves.count <= rules.movesMax)
        let emptied = Set(plan.emptied.map(\.host))
        #expect(emptied.count == plan.emptied.count)
        for host in plan.emptied {
            #expect(host.worth > host.cost && host.vms == before.hostedVMCount(on: host.host))
            #expect(state.hostedVMCount(on: host.host) == 0)
        }
        for move in plan.moves.moves {
            #expect(emptied.contains(move.from) && !emptied.contains(move.to))
            #expect(before.hostedVMCount(on: move.to) > 0, "an empty host was filled")
        }
        for host in state.allHosts
        where state.hostedVMCount(on: host) > before.hostedVMCount(on: host) {
            let share = state.loadShare(of: host)
            #expect(share.cpu <= rules.cpuMax + 1e-9 && share.memory <= rules.memoryMax + 1e-9)
        }
        let others = plan.others
        let told = others.held + others.tooDear + others.taking + others.withoutPlace
        let inUse = before.allHosts.filter {
            before.hostedVMCount(on: $0) > 0 && before.hosts[$0].state == .active
        }
        #expect(told + others.notTried + emptied.count == inUse.count)
    }

    @Test(arguments: 0..<40 as Range<UInt64>)
    func `Runs in a row end, and never move a VM back to a host it was on`(seed: UInt64) throws {
        var state = try cluster(seed).state
        var rules = rules(seed)
        rules.coolDown = .seconds(60)
        var seen: [VMIndex: Set<HostIndex>] = [:]
        var isQuiet = false
        for _ in 0..<60 where !isQuiet {
            let plan = state.planConsolidation(rules: rules)
            for move in plan.moves.moves {
                seen[move.vm, default: []].insert(move.from)
                #expect(seen[move.vm]?.contains(move.to) == false, "\(move.vm) goes back")
            }
            plan.moves.applyMoves(to: &state)
            state.ageLastMoves(by: .seconds(600))
            isQuiet = plan.emptied.isEmpty
        }
        #expect(isQuiet, "it still moves VMs after 60 runs under constant load")
    }

    @Test(arguments: 0..<10 as Range<UInt64>)
    func `The same cluster gives the same plan`(seed: UInt64) throws {
        let plans = try (0..<2).map { _ in
            try cluster(seed).state.planConsolidation(rules: rules(seed))
        }
        #expect(plans[0] == plans[1])
    }

    @Test func `On these clusters hosts are emptied at all`() throws {
        var emptied = 0
        for seed in 0..<60 as Range<UInt64> {
            emptied += try cluster(seed).state.planConsolidation(rules: rules(seed)).emptied.count
        }
        #expect(emptied > 60)
    }
}
