// Balance: what it moves, what it leaves alone, and why it stops.

import Model
import Placement
import Testing

@Suite("Balance")
struct BalanceTests {
    /// Two like hosts; `count` like VMs, all on the first, each a tenth of a host.
    private func lopsided(
        _ count: Int = 4, _ change: (inout PlacementVM) -> Void = { _ in }
    ) throws -> ClusterState {
        var cluster = ClusterState()
        for name in ["a", "b"] { try cluster.registerHost(host(name, cores: 10, memory: 100)) }
        for number in 0..<count {
            var new = vm(number, memory: 10)
            new.use = MeasuredUse(cores: 1, memoryBytes: Double(10 * gibibyte))
            new.dirtyBytesPerSecond = 1e6
            change(&new)
            try cluster.run(new, on: 0)
        }
        return cluster
    }

    @Test func `It moves half of the load and says what each move brings and costs`() throws {
        let plan = try lopsided().planBalance()
        #expect(abs(plan.before - 0.2) < 1e-9)
        #expect(plan.after < 1e-6)
        #expect(plan.moves.moves.count == 2)
        #expect(plan.outcome == .settled(imbalance: plan.after, settleAt: 0.05))
        for move in plan.moves.moves {
            guard case .balances(let before, let after, let worth, let cost) = move.reason else {
                Issue.record("\(move.reason)")
                return
            }
            #expect(after < before && cost > 0 && worth > cost)
            #expect(abs(worth - (before - after) * 2 * 600) < 1e-9)
            #expect(move.prediction.duration.expected > .seconds(10))
        }
    }

    @Test func `A cluster that is even enough is left alone`() throws {
        var rules = BalanceRules()
        rules.startAbove = 0.25
        let plan = try lopsided().planBalance(rules: rules)
        #expect(plan.moves.moves.isEmpty)
        #expect(plan.outcome == .isBalanced(imbalance: plan.before, startAbove: 0.25))
    }

    @Test func `It goes on below where it starts, so that it does not start again at once`() throws
    {
        var rules = BalanceRules()
        rules.startAbove = 0.15
        rules.settleAt = 0.12
        let plan = try lopsided().planBalance(rules: rules)
        #expect(plan.moves.moves.count == 1)
        #expect(plan.after <= 0.12)
    }

    @Test func `A move that costs more than it brings is not made, and the plan names it`() throws {
        var rules = BalanceRules()
        rules.price?.horizon = .milliseconds(100)
        let plan = try lopsided().planBalance(rules: rules)
        #expect(plan.moves.moves.isEmpty)
        guard case .noMoveIsWorthIt(let facts) = plan.outcome, let nearest = facts.nearest else {
            Issue.record("\(plan.outcome)")
            return
        }
        #expect(nearest.worth < nearest.cost && nearest.gain > 0)
        #expect(nearest.to == "b")
        #expect(facts.sawAll && facts.pairsJudged > 0)
        #expect("\(plan.outcome)".hasPrefix("no move is worth it: vm"))
    }

    @Test func `A cheap VM is taken before a dear one that levels as much`() throws {
        let plan = try lopsided(2) {
            if $0.name == "vm0" { $0.dirtyBytesPerSecond = 6e8 }
        }.planBalance()
        #expect(plan.moves.moves.map { $0.vm } == [1])
    }

    @Test func `VMs that may not move stay`() throws {
        let cases: [(String, (inout PlacementVM) -> Void)] = [
            ("excluded", { $0.mayBeBalanced = false }),
            ("pinned", { $0.pinnedHost = "a" }),
            ("cooling down", { $0.lastMove = LastMove(from: "c", age: .seconds(60)) }),
            ("barred", { $0.lastMove = LastMove(from: "b", age: .seconds(3600)) }),
            ("too strict", { $0.downtimeLimit = .milliseconds(1) }),
        ]
        for (name, change) in cases {
            let plan = try lopsided(4, change).planBalance()
            #expect(plan.moves.moves.isEmpty, "\(name)")
            guard case .noMoveIsWorthIt = plan.outcome else {
                Issue.record("\(name): \(plan.outcome)")
                continue
            }
        }
        let rested = try lopsided(4) { $0.lastMove = LastMove(from: "c", age: .seconds(3600)) }
        #expect(rested.planBalance().moves.moves.count == 2)
    }

    @Test func `Hosts that are not active neither give nor take`() throws {
        var cluster = try lopsided()
        try cluster.registerHost(host("c", state: .maintenance))
        try cluster.registerHost(host("d", state: .unreachable))
        cluster.setHostState(.draining, of: 1)
        #expect(cluster.planBalance().moves.moves.isEmpty)
        cluster.setHostState(.active, of: 1)
        #expect(cluster.planBalance().moves.moves.allSatisfy { $0.to == 1 })
    }

    @Test func `A plan has no more moves than it may`() throws {
        var rules = BalanceRules()
        rules.movesMax = 1
        let plan = try lopsided().planBalance(rules: rules)
        #expect(plan.moves.moves.count == 1)
        #expect(plan.outcome == .movesMaxReached(1))
    }

    /// The plain way: the pair whose move leaves the lowest figure, each tried on a copy.
    private func bestPair(_ state: ClusterState) -> Double? {
        let before = LoadSpread(of: state) { _ in true }.score
        var best: Double?
        for vm in state.allVMs where state.description(of: vm).pinnedHost == nil {
            for host in state.allHosts
            where state.refusalReason(of: vm, on: host, for: .migration) == nil {
                var copy = state
                copy.relocateVM(vm, to: host)
                let after = LoadSpread(of: copy) { _ in true }.score
                if after < (best ?? before - 1e-9) { best = after }
            }
        }
        return best
    }

    @Test(arguments: 0..<25 as Range<UInt64>)
    func `Its first move is the best of all pairs`(seed: UInt64) throws {
        let state = try RandomCluster(seed: seed, hosts: 7, vms: 30).state
        let plan = state.planBalance(rules: .greedySearch(movesMax: 1))
        let best = bestPair(state)
        #expect(plan.moves.moves.count == (best == nil ? 0 : 1))
        if let best { #expect(abs(plan.after - best) < 1e-9) }
    }

    @Test(arguments: 0..<25 as Range<UInt64>)
    func `When it says that no move helps, none does`(seed: UInt64) throws {
        var state = try RandomCluster(seed: seed, hosts: 9, vms: 40).state
        for _ in 0..<20 {
            let plan = state.planBalance(rules: .greedySearch(movesMax: 1000))
            var next = state
            plan.moves.applyMoves(to: &next)
            for vm in next.allVMs { next.setLastMove(nil, of: vm) }
            state = next
            if plan.moves.moves.isEmpty { break }
        }
        #expect(state.planBalance(rules: .greedySearch(movesMax: 1)).moves.moves.isEmpty)
        #expect(bestPair(state) == nil)
    }
}
