// What each policy chooses, how ties fall, and that an explanation tells of the same decision.

import Model
import Placement
import Testing

@Suite("Policies")
struct PolicyTests {
    /// Three like hosts: a is half full, b nearly full, c empty but busy with work of its own.
    private func threeHosts() throws -> ClusterState {
        var cluster = ClusterState()
        for name in ["a", "b"] { try cluster.add(host(name)) }
        try cluster.add(
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
        let policy = try #require(NamedPolicies.policy(named: name, seed: 0))
        var cluster = try threeHosts()
        let new = try cluster.add(vm(9, vcpus: vcpus, memory: 4))
        let chosen = cluster.choose(new, by: policy)
        #expect(chosen.map { cluster.hosts[$0].name } == expected)
    }

    @Test func `The dot product sends a VM to the host with free room of its shape`() throws {
        var cluster = ClusterState()
        try cluster.add(host("much-memory", cores: 8, memory: 512))
        try cluster.add(host("many-cores", cores: 64, memory: 64))
        let cpuBound = try cluster.add(vm(1, vcpus: 8, memory: 1))
        let memoryBound = try cluster.add(vm(2, vcpus: 1, memory: 64))
        #expect(cluster.choose(cpuBound, by: DotProduct()) == 1)
        #expect(cluster.choose(memoryBound, by: DotProduct()) == 0)
    }

    @Test func `Among equals every policy that does not draw takes the first`() throws {
        for policy in NamedPolicies.all(seed: 1) where policy.name != "two-choices" {
            var cluster = ClusterState()
            for number in 0..<9 {
                try cluster.add(
                    host("h\(number)", state: number == 0 ? .maintenance : .active))
            }
            cluster.keepIndex(for: policy)
            let new = try cluster.add(vm(1))
            #expect(cluster.choose(new, by: policy) == 1, "\(policy.name)")
            #expect(cluster.chooseByScan(new, by: policy) == 1, "\(policy.name)")
        }
    }

    @Test func `No host is chosen where all refuse`() throws {
        for policy in NamedPolicies.all(seed: 1) {
            var cluster = try threeHosts()
            cluster.keepIndex(for: policy)
            let new = try cluster.add(vm(9, vcpus: 9))
            #expect(cluster.choose(new, by: policy) == nil, "\(policy.name)")
        }
    }

    @Test func `A policy of one's own is a name and a score`() throws {
        var cluster = try threeHosts()
        let new = try cluster.add(vm(9))
        let own = try #require(NamedPolicies.policy(named: "fewest-vms", seed: 0))
        #expect(cluster.choose(new, by: own) == 2)
        #expect(cluster.explain(new, by: own).verdicts[1].score == -0.02)
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
            let host = random.state.choose(new, by: policy)
            #expect(host == random.state.choose(new, by: policy))
            if let host { #expect(random.state.refusal(of: new, on: host, for: .start) == nil) }
            chosen.append(host)
            others.append(random.state.choose(new, by: PowerOfTwoChoices(seed: ~seed)))
        }
        #expect(chosen != others)
    }

    @Test func `Lots find the one host that has room`() throws {
        var cluster = ClusterState()
        for number in 0..<500 {
            try cluster.add(host("h\(number)", state: number == 377 ? .active : .draining))
        }
        let new = try cluster.add(vm(1))
        #expect(cluster.choose(new, by: PowerOfTwoChoices(seed: 3)) == 377)
    }

    @Test func `Soft groups draw together and push apart, but refuse nothing`() throws {
        var cluster = ClusterState()
        for name in ["a", "b"] { try cluster.add(host(name)) }
        try cluster.add(AffinityGroup(name: "near", .together, strength: .soft(weight: 5)))
        try cluster.add(AffinityGroup(name: "far", .apart(), strength: .soft(weight: 5)))
        try cluster.run(vm(1, vcpus: 2) { $0.groups = ["near"] }, on: 1)
        try cluster.run(vm(2, vcpus: 4) { $0.groups = ["far"] }, on: 0)
        let near = try cluster.add(vm(3) { $0.groups = ["near"] })
        let far = try cluster.add(vm(4) { $0.groups = ["far"] })
        for policy in [FirstFit(), BestFit(), WorstFit()] as [any PlacementPolicy] {
            cluster.keepIndex(for: policy)
            #expect(cluster.choose(near, by: policy) == 1, "\(policy.name)")
            #expect(cluster.choose(far, by: policy) == 1, "\(policy.name)")
        }
        cluster.setState(.draining, of: 1)
        #expect(cluster.choose(near, by: FirstFit()) == 0)
        #expect(cluster.choose(far, by: FirstFit()) == 0)
    }

    @Test(arguments: 0..<20 as Range<UInt64>)
    func `An explanation has a verdict for every host and tells of the decision made`(seed: UInt64)
        throws
    {
        var random = try RandomCluster(seed: seed, hosts: 30, vms: 60)
        for policy in NamedPolicies.all(seed: seed) + [LifetimeAware()] {
            random.state.keepIndex(for: policy)
            let new = try random.addVM()
            let state = random.state
            let explanation = state.explain(new, by: policy)
            #expect(explanation.verdicts.count == 30)
            #expect(explanation.chosen == state.choose(new, by: policy))
            let scores = explanation.verdicts.map(\.score)
            let best = scores.compactMap { $0 }.max()
            let first = best.flatMap { best in
                scores.firstIndex { ($0 ?? -.infinity) > best - 1e-9 }
            }
            #expect(explanation.chosen == first, "\(policy.name)")
            for (host, verdict) in explanation.verdicts.enumerated() {
                let refusal = state.refusal(of: new, on: host, for: .start)
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
        let new = try cluster.add(vm(9, vcpus: 2, memory: 3))
        cluster.setExpectedDeparture(3000, of: 0)
        cluster.setExpectedDeparture(9000, of: new)
        for policy in NamedPolicies.all(seed: 1) + [LifetimeAware()] {
            for host in cluster.allHosts {
                let sum = policy.terms(new, on: host, in: cluster).reduce(0) { $0 + $1.value }
                #expect(abs(sum - policy.score(new, on: host, in: cluster)) < 1e-12)
            }
        }
    }

    @Test func `Refusals are summed up by filter with the host that came nearest`() throws {
        var cluster = ClusterState()
        for (name, memory) in [("a", 4), ("b", 6), ("c", 2)] {
            try cluster.add(host(name, memory: memory))
        }
        try cluster.add(host("d", state: .maintenance))
        let new = try cluster.add(vm(1, memory: 8))
        let summary = cluster.refusals(of: new, for: .start)
        #expect(summary.lines.map(\.filter) == ["memory", "host state"])
        #expect(summary.lines.map(\.hosts) == [3, 1])
        #expect(summary.lines[0].nearestHost == "b")
        #expect(
            "\(summary)"
                == "3 by memory (b: needs 8GiB of memory, 6GiB of 6GiB are free); 1 by host state (d: the host is maintenance)"
        )
    }
}
