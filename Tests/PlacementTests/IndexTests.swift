// A decision by the index is the decision that a look at every host makes.

import Model
import Placement
import Testing

@Suite("Index")
struct IndexTests {
    private static let indexed: [any PlacementPolicy] = [
        FirstFit(), BestFit(), WorstFit(), DotProduct(), LeastLoaded(), LifetimeAware(),
    ]

    @Test(arguments: 0..<25 as Range<UInt64>)
    func `Through any history each indexed policy chooses what the plain scan chooses`(
        seed: UInt64
    ) throws {
        var random = try RandomCluster(seed: seed, hosts: 5 + Int(seed) * 4, vms: 30)
        for policy in Self.indexed { random.state.maintainIndex(for: policy) }
        for step in 0..<150 {
            try random.step()
            for _ in 0..<3 { random.foretell() }
            let new = try random.addVM()
            random.state.setExpectedDeparture(
                at: random.state.now
                    + random.lots.drawNumber(below: 100 << random.lots.drawNumber(below: 16)),
                of: new)
            for policy in Self.indexed {
                let byIndex = random.state.chooseHost(for: new, using: policy)
                let byScan = random.state.chooseHostByScan(for: new, using: policy)
                #expect(byIndex == byScan, "step \(step), \(policy.name)")
            }
            random.state.unregisterVM(new)
            #expect(random.state.sumMismatch() == nil)
            if let old = random.state.allVMs.first(where: {
                random.state.currentHost(of: $0) != nil
                    && random.state.migrationTarget(of: $0) == nil
            }) {
                for policy in Self.indexed {
                    #expect(
                        random.state.chooseHost(for: old, using: policy)
                            == random.state.chooseHostByScan(for: old, using: policy),
                        "step \(step), a move by \(policy.name)")
                }
            }
        }
    }

    @Test func `Blocks that fill, split and empty keep the order`() throws {
        var cluster = ClusterState()
        for policy in Self.indexed { cluster.maintainIndex(for: policy) }
        for number in 0..<3000 {
            try cluster.registerHost(
                host("h\(number)", cores: 8 + number % 5, memory: 32 + number % 3))
        }
        var lots = SplitMix64(seed: 11)
        for number in 0..<6000 {
            let new = try cluster.registerVM(
                vm(
                    number, vcpus: 1 + lots.drawNumber(below: 6),
                    memory: 1 + lots.drawNumber(below: 24)))
            cluster.advanceClock(to: 30 * number)
            cluster.setExpectedDeparture(
                at: 30 * number + lots.drawNumber(below: 600 << lots.drawNumber(below: 12)), of: new
            )
            let policy = Self.indexed[lots.drawNumber(below: Self.indexed.count)]
            let host = cluster.chooseHost(for: new, using: policy)
            if number % 40 == 0 {
                #expect(host == cluster.chooseHostByScan(for: new, using: policy))
            }
            if let host { cluster.assignVM(new, to: host) } else { cluster.unregisterVM(new) }
            if number > 3000, number % 2 == 0,
                let old = cluster.indexOfVM(withID: vm(number - 3000).id)
            {
                cluster.unregisterVM(old)
            }
        }
        #expect(cluster.ruleViolation() == nil)
        for vm in cluster.allVMs { cluster.unregisterVM(vm) }
        let new = try cluster.registerVM(vm(9999))
        for policy in Self.indexed {
            #expect(
                cluster.chooseHost(for: new, using: policy)
                    == cluster.chooseHostByScan(for: new, using: policy))
        }
    }

    @Test func `An index that is kept from the start and one made later say the same`() throws {
        var early = ClusterState()
        for policy in Self.indexed { early.maintainIndex(for: policy) }
        var late = ClusterState()
        for number in 0..<50 {
            let next = host("h\(number)", cores: 1 + number % 7, memory: 64 - number)
            try early.registerHost(next)
            try late.registerHost(next)
        }
        for policy in Self.indexed { late.maintainIndex(for: policy) }
        for size in 1...7 {
            let (first, second) = (
                try early.registerVM(vm(size, vcpus: size, memory: size * 3)),
                try late.registerVM(vm(size, vcpus: size, memory: size * 3))
            )
            for policy in Self.indexed {
                #expect(
                    early.chooseHost(for: first, using: policy)
                        == late.chooseHost(for: second, using: policy))
            }
        }
    }
}
