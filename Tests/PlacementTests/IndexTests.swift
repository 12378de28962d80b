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
        for policy in Self.indexed { random.state.keepIndex(for: policy) }
        for step in 0..<150 {
            try random.step()
            for _ in 0..<3 { random.foretell() }
            let new = try random.addVM()
            random.state.setExpectedDeparture(
                random.state.now + random.lots.number(below: 100 << random.lots.number(below: 16)),
                of: new)
            for policy in Self.indexed {
                let byIndex = random.state.choose(new, by: policy)
                let byScan = random.state.chooseByScan(new, by: policy)
                #expect(byIndex == byScan, "step \(step), \(policy.name)")
            }
            random.state.remove(new)
            #expect(random.state.wrongSum() == nil)
            if let old = random.state.allVMs.first(where: {
                random.state.host(of: $0) != nil && random.state.target(of: $0) == nil
            }) {
                for policy in Self.indexed {
                    #expect(
                        random.state.choose(old, by: policy)
                            == random.state.chooseByScan(old, by: policy),
                        "step \(step), a move by \(policy.name)")
                }
            }
        }
    }

    @Test func `Blocks that fill, split and empty keep the order`() throws {
        var cluster = ClusterState()
        for policy in Self.indexed { cluster.keepIndex(for: policy) }
        for number in 0..<3000 {
            try cluster.add(host("h\(number)", cores: 8 + number % 5, memory: 32 + number % 3))
        }
        var lots = SplitMix64(seed: 11)
        for number in 0..<6000 {
            let new = try cluster.add(
                vm(number, vcpus: 1 + lots.number(below: 6), memory: 1 + lots.number(below: 24)))
            cluster.setNow(30 * number)
            cluster.setExpectedDeparture(
                30 * number + lots.number(below: 600 << lots.number(below: 12)), of: new)
            let policy = Self.indexed[lots.number(below: Self.indexed.count)]
            let host = cluster.choose(new, by: policy)
            if number % 40 == 0 { #expect(host == cluster.chooseByScan(new, by: policy)) }
            if let host { cluster.assign(new, to: host) } else { cluster.remove(new) }
            if number > 3000, number % 2 == 0, let old = cluster.vm(vm(number - 3000).id) {
                cluster.remove(old)
            }
        }
        #expect(cluster.brokenRule() == nil)
        for vm in cluster.allVMs { cluster.remove(vm) }
        let new = try cluster.add(vm(9999))
        for policy in Self.indexed {
            #expect(cluster.choose(new, by: policy) == cluster.chooseByScan(new, by: policy))
        }
    }

    @Test func `An index that is kept from the start and one made later say the same`() throws {
        var early = ClusterState()
        for policy in Self.indexed { early.keepIndex(for: policy) }
        var late = ClusterState()
        for number in 0..<50 {
            let next = host("h\(number)", cores: 1 + number % 7, memory: 64 - number)
            try early.add(next)
            try late.add(next)
        }
        for policy in Self.indexed { late.keepIndex(for: policy) }
        for size in 1...7 {
            let (first, second) = (
                try early.add(vm(size, vcpus: size, memory: size * 3)),
                try late.add(vm(size, vcpus: size, memory: size * 3))
            )
            for policy in Self.indexed {
                #expect(early.choose(first, by: policy) == late.choose(second, by: policy))
            }
        }
    }
}
