// What each policy chooses, how ties fall, and that an explanation tells of the same decision.

import Model
import Placement
import Testing

@Suite("Policies")
struct PolicyTests {
    /// Three like hosts: a is half full, b nearly full, c empty but busy with work of its own.
    private func threeHosts() throws -> ClusterState {
        var cluster = ClusterState()
        for name in ["a", "b"] { try cluster.registerHost(host(name)) }
        try cluster.registerHost(
            host("c") { $0.ownUse = MeasuredUse(cores: 7, memoryBytes: Double(gibibyte)) })
        let idle = MeasuredUse(cores: 0.5, memoryBytes: Double(gibibyte))
        try cluster.run(
            vm(1, vcpus: 4, memory: 32) {
                $0.use = MeasuredUse(cores: 2, memoryBytes: Double(4 * gibibyte))
            }, on: 0)
        try cluster.run(vm(2, vcpus: 3, memory: 24) { $0.use = idle }, on: 1)
        try cluster.run(vm(3, vcpus: 3, memory: 30) { $0.use = idle }, on: 1)
        return cluster
    }

    @Test(arguments: [
        ("first-fit", 1, "a"), ("first-fit", 3, "a"), ("best-fit", 1, "b"), ("best-fit", 3, "a"),
        ("worst-fit", 1, "c"), ("least-loaded", 1, "b"), ("least-loaded", 3, "a"),
        ("dot-product", 1, "c"),
    ])
    func `A policy chooses as its name says`(name: String, vcpus: Int, expected: String) throws {
        let policy = try #require(NamedPolicies.placementPolicy(named: name, seed: 0))
        var cluster = try threeHosts()
        let new = try cluster.registerVM(vm(9, vcpus: vcpus, memory: 4))
        let chosen = cluster.chooseHost(for: new, using: policy)
        #expect(chosen.map { cluster.hosts[$0].name } == expected)
    }

    @Test func `The dot product sends a VM to the host with free room of its shape`() throws {
        var cluster = ClusterState()
        try cluster.registerHost(host("much-memory", cores: 8, memory: 512))
        try cluster.registerHost(host("many-cores", cores: 64, memory: 64))
        let cpuBound = try cluster.registerVM(vm(1, vcpus: 8, memory: 1))
        let memoryBound = try cluster.registerVM(vm(2, vcpus: 1, memory: 64))
        #expect(cluster.chooseHost(for: cpuBound, using: DotProduct()) == 1)
        #expect(cluster.chooseHost(for: memoryBound, using: DotProduct()) == 0)
    }

    @Test func `Among equals every policy that does not draw takes the first`() throws {
        for policy in NamedPolicies.allPolicies(seed: 1) where policy.name != "two-choices" {
            var cluster = ClusterState()
            for number in 0..<9 {
                try cluster.registerHost(
                    host("h\(number)", state: number == 0 ? .maintenance : .active))
            }
            cluster.maintainIndex(for: policy)
            let new = try cluster.registerVM(vm(1))
            #expect(cluster.chooseHost(for: new, using: policy) == 1, "\(policy.name)")
            #expect(cluster.chooseHostByScan(for: new, using: policy) == 1, "\(policy.name)")
        }
    }

    @Test func `No host is chosen where all refuse`() throws {
        for policy in NamedPolicies.allPolicies(seed: 1) {
            var cluster = try threeHosts()
            cluster.maintainIndex(for: policy)
            let new = try cluster.registerVM(vm(9, vcpus: 9))
            #expect(cluster.chooseHost(for: new, using: policy) == nil, "\(policy.name)")
        }
    }

    @Test func `A policy of one's own is a name and a score`() throws {
        var cluster = try threeHosts()
        let new = try cluster.registerVM(vm(9))
        let own = try #require(NamedPolicies.placementPolicy(named: "fewest-vms", seed: 0))
        #expect(cluster.chooseHost(for: new, using: own) == 2)
        #expect(cluster.explainPlacement(of: new, using: own).verdicts[1].score == -0.02)
    }

    @Test(arguments: 0..<20 as Range<UInt64>)
    func `Lots fall the same for one seed, on hosts that admit the VM, and otherwise for another`(
        seed: UInt64
    ) throws {
        var random = try RandomCluster(seed: seed, hosts: 200, vms: 100, withGroups: false)
        let policy = PowerOfTwoChoices(seed: seed)
        var chosen: [HostIndex?] = []
        var others: [HostIndex?] = []
        for _ in 0..<40 {
            let new = try random.addVM(withGroups: false)
            let host = random.state.chooseHost(for: new, using: policy)
            #expect(host == random.state.chooseHost(for: new, using: policy))
            if let host {
                #expect(random.state.refusalReason(of: new, on: host, for: .start) == nil)
            }
            chosen.append(host)
            others.append(random.state.chooseHost(for: new, using: PowerOfTwoChoices(seed: ~seed)))
        }
        #expect(chosen != others)
    }

    @Test func `Lots find the one host that has room`() throws {
        var cluster = ClusterState()
        for number in 0..<500 {
            try cluster.registerHost(host("h\(number)", state: number == 377 ? .active : .draining))
        }
        let new = try cluster.registerVM(vm(1))
        #expect(cluster.chooseHost(for: new, using: PowerOfTwoChoices(seed: 3)) == 377)
    }

    @Test func `Soft groups draw together and push apart, but refuse nothing`() throws {
        var cluster = ClusterState()
        for name in ["a", "b"] { try cluster.registerHost(host(name)) }
        try cluster.registerGroup(
            AffinityGroup(name: "near", kind: .together, strength: .soft(weight: 5)))
        try cluster.registerGroup(
            AffinityGroup(name: "far", kind: .apart(), strength: .soft(weight: 5)))
        try cluster.run(vm(1, vcpus: 2) { $0.groups = ["near"] }, on: 1)
        try cluster.run(vm(2, vcpus: 4) { $0.groups = ["far"] }, on: 0)
        let near = try cluster.registerVM(vm(3) { $0.groups = ["near"] })
        let far = try cluster.registerVM(vm(4) { $0.groups = ["far"] })
        for policy in [FirstFit(), BestFit(), WorstFit()] as [any PlacementPolicy] {
            cluster.maintainIndex(for: policy)
            #expect(cluster.chooseHost(for: near, using: policy) == 1, "\(policy.name)")
            #expect(cluster.chooseHost(for: far, using: policy) == 1, "\(policy.name)")
        }
        cluster.setHostState(.draining, of: 1)
        #expect(cluster.chooseHost(for: near, using: FirstFit()) == 0)
        #expect(cluster.chooseHost(for: far, using: FirstFit()) == 0)
    }

    @Test(arguments: 0..<20 as Range<UInt64>)
    func `An explanation has a verdict for every host and tells of the decision made`(seed: UInt64)
        throws
    {
        var random = try RandomCluster(seed: seed, hosts: 30, vms: 60)
        for policy in NamedPolicies.allPolicies(seed: seed) + [LifetimeAware()] {
            random.state.maintainIndex(for: policy)
            let new = try random.addVM()
            let state = random.state
            let explanation = state.explainPlacement(of: new, using: policy)
            #expect(explanation.verdicts.count == 30)
            #expect(explanation.chosen == state.chooseHost(for: new, using: policy))
            let scores = explanation.verdicts.map(\.score)
            let best = scores.compactMap { $0 }.max()
            let first = best.flatMap { best in
                scores.firstIndex { ($0 ?? -.infinity) > best - 1e-9 }
            }
            #expect(explanation.chosen == first, "\(policy.name)")
            for (host, verdict) in explanation.verdicts.enumerated() {
                let refusal = state.refusalReason(of: new, on: host, for: .start)
                if case .refused(let told) = verdict {
                    #expect(told == refusal)
                } else {
                    #expect(refusal == nil)
                }
            }
        }
    }

    @Test func `Terms add up to the score`() throws {
        var cluster = try threeHosts()
        let new = try cluster.registerVM(vm(9, vcpus: 2, memory: 3))
        cluster.setExpectedDeparture(at: 3000, of: 0)
        cluster.setExpectedDeparture(at: 9000, of: new)
        for policy in NamedPolicies.allPolicies(seed: 1) + [LifetimeAware()] {
            for host in cluster.allHosts {
                let sum = policy.scoreTerms(of: new, on: host, in: cluster).reduce(0) {
                    $0 + $1.value
                }
                #expect(abs(sum - policy.placementScore(of: new, on: host, in: cluster)) < 1e-12)
            }
        }
    }

    @Test func `Refusals are summed up by filter with the host that came nearest`() throws {
        var cluster = ClusterState()
        for (name, memory) in [("a", 4), ("b", 6), ("c", 2)] {
            try cluster.registerHost(host(name, memory: memory))
        }
        try cluster.registerHost(host("d", state: .maintenance))
        let new = try cluster.registerVM(vm(1, memory: 8))
        let summary = cluster.refusalSummary(of: new, for: .start)
        #expect(summary.lines.map(\.filter) == ["memory", "host state"])
        #expect(summary.lines.map(\.hosts) == [3, 1])
        #expect(summary.lines[0].nearestHost == "b")
        #expect(
            "\(summary)"
                == "3 by memory (b: needs 8GiB of memory, 6GiB of 6GiB are free); 1 by host state (d: the host is maintenance)"
        )
    }
}
