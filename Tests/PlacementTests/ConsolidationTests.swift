// Consolidation: which hosts it empties, which it leaves alone, and why.

import Model
import Placement
import Testing

@Suite("Consolidation")
struct ConsolidationTests {
    /// Like hosts of 10 cores and 100 GiB with so many VMs each, a VM being a tenth of a host and half as busy.
    private func cluster(
        _ counts: [Int], _ change: (inout PlacementVM) -> Void = { _ in }
    ) throws -> ClusterState {
        var cluster = ClusterState()
        var number = 0
        for (index, count) in counts.enumerated() {
            try cluster.registerHost(host("h\(index)", cores: 10, memory: 100))
            for _ in 0..<count {
                var new = vm(number, memory: 10)
                new.use = MeasuredUse(cores: 0.5, memoryBytes: Double(5 * gibibyte))
                new.dirtyBytesPerSecond = 1e6
                change(&new)
                try cluster.run(new, on: index)
                number += 1
            }
        }
        return cluster
    }

    @Test func `The host with the fewest VMs is emptied onto the fullest with room`() throws {
        var cluster = try cluster([6, 2, 5, 0])
        let plan = cluster.planConsolidation()
        #expect(plan.emptied.map(\.host) == [1])
        #expect(plan.emptied[0].vms == 2 && plan.emptied[0].worth > plan.emptied[0].cost)
        #expect(plan.moves.moves.map(\.to) == [0, 0])
        #expect(
            plan.others
                == with {
                    $0.taking = 1; $0.withoutPlace = 1
                })
        plan.moves.applyMoves(to: &cluster)
        #expect(cluster.allHosts.map { cluster.hostedVMCount(on: $0) } == [8, 0, 5, 0])
    }

    private func with(_ change: (inout HostsNotEmptied) -> Void) -> HostsNotEmptied {
        var others = HostsNotEmptied()
        change(&others)
        return others
    }

    @Test func `All of a host's VMs or none`() throws {
        let plan = try cluster([9, 9, 3]).planConsolidation()
        #expect(plan.emptied.isEmpty && plan.moves.moves.isEmpty)
        #expect(plan.others == with { $0.withoutPlace = 3 })
    }

    @Test func `Margins of measured load keep a host from being filled`() throws {
        var rules = ConsolidationRules()
        #expect(try cluster([5, 4]).planConsolidation(rules: rules).emptied.count == 1)
        rules.cpuMax = 0.44
        #expect(try cluster([5, 4]).planConsolidation(rules: rules).emptied.isEmpty)
        rules.cpuMax = 0.8
        rules.memoryMax = 0.44
        #expect(try cluster([5, 4]).planConsolidation(rules: rules).emptied.isEmpty)
    }

    @Test func `A host is not emptied where its moves cost more than they bring`() throws {
        var rules = ConsolidationRules()
        rules.price.horizon = .seconds(130)
        let plan = try cluster([6, 2]).planConsolidation(rules: rules)
        #expect(plan.emptied.isEmpty && plan.others == with { $0.tooDear = 2 })
        let strained = try cluster([6, 2]) {
            $0.dirtyBytesPerSecond = 4e10
            $0.downtimeLimit = .milliseconds(50)
        }
        #expect(strained.planConsolidation().others == with { $0.tooDear = 2 })
    }

    @Test func `Hosts with VMs that have to stay are left alone`() throws {
        for change: (inout PlacementVM) -> Void in [
            { $0.mayBeBalanced = false }, { $0.pinnedHost = "h0" },
            { $0.lastMove = LastMove(from: "h1", age: .seconds(60)) },
        ] {
            let cluster = try cluster([2], change)
            #expect(cluster.planConsolidation().others.held == 1)
        }
        var moving = try cluster([2, 3, 4])
        moving.beginMigration(of: 0, to: 1)
        let plan = moving.planConsolidation()
        #expect(plan.others.held == 2 && plan.emptied.isEmpty == false)
        #expect(plan.emptied.map(\.host) == [2])
    }

    @Test func `A VM does not go back to the host that it left`() throws {
        let cluster = try cluster([3, 2]) {
            $0.lastMove = LastMove(from: "h0", age: .seconds(7200))
        }
        let plan = cluster.planConsolidation()
        #expect(plan.emptied.map(\.host) == [0])
    }

    @Test func `VMs that belong on one host move together`() throws {
        var cluster = ClusterState()
        try cluster.registerGroup(AffinityGroup(name: "pair", kind: .together))
        for name in ["a", "b", "c"] { try cluster.registerHost(host(name, cores: 10, memory: 100)) }
        for number in 0..<2 {
            try cluster.run(vm(number, memory: 10) { $0.groups = ["pair"] }, on: 0)
        }
        for number in 2..<10 { try cluster.run(vm(number, memory: 11), on: 1) }
        for number in 10..<14 { try cluster.run(vm(number, memory: 10), on: 2) }
        let plan = cluster.planConsolidation()
        #expect(plan.emptied.map(\.host) == [0])
        #expect(plan.moves.moves.map(\.to) == [2, 2] && plan.moves.waves == 1)
    }

    @Test func `Empty hosts sleep but for the spare ones; those that expect a VM do not`() throws {
        var cluster = try cluster([2, 0, 0, 0, 0])
        #expect(cluster.hostsToSleep() == [2, 3, 4])
        cluster.beginMigration(of: 0, to: 3)
        #expect(cluster.hostsToSleep() == [2, 4])
        cluster.setHostState(.maintenance, of: 1)
        #expect(cluster.hostsToSleep() == [4])
        var rules = ConsolidationRules()
        rules.spareShare = 0.5
        #expect(cluster.hostsToSleep(rules: rules).isEmpty)
        #expect(cluster.hostsToWake(rules: rules, asleep: [1]).isEmpty)
        rules.spareHosts = 4
        #expect(cluster.hostsToWake(rules: rules, asleep: [1]) == [1])
    }
}
