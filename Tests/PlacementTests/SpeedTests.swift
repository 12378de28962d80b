// How long the scheduler thinks about large clusters: printed, not judged. What is judged is that it did the work.

import Model
import Placement
import Testing

@Suite("Speed", .serialized)
struct SpeedTests {
    /// Like hosts of 64 cores and 256 GiB, four vCPUs a core; VMs of 1 to 8 vCPUs, unevenly placed and loaded.
    private func cluster(hosts: Int, vms: Int) throws -> ClusterState {
        var lots = SplitMix64(seed: 1)
        var cluster = ClusterState(migrationOverheadBytes: 64 << 20)
        for number in 0..<hosts {
            try cluster.registerHost(
                host("h\(number)", cores: 64, memory: 256) { $0.cpuOvercommit = 4 })
        }
        for number in 0..<vms {
            let size = 1 << lots.drawNumber(below: 4)
            var new = vm(number, vcpus: size, memory: size)
            let busy = lots.drawFraction()
            new.use = MeasuredUse(
                cores: Double(size) * busy * busy,
                memoryBytes: Double(size * gibibyte) * (0.3 + 0.7 * lots.drawFraction()))
            new.dirtyBytesPerSecond = 1e8 * lots.drawFraction()
            let index = try cluster.registerVM(new)
            var host = min(lots.drawNumber(below: hosts), lots.drawNumber(below: hosts))
            while cluster.refusalReason(of: index, on: host, for: .start) != nil {
                host = lots.drawNumber(below: hosts)
            }
            cluster.assignVM(index, to: host)
        }
        return cluster
    }

    @Test func `Balance of 1,000 hosts and 20,000 VMs`() throws {
        let cluster = try cluster(hosts: 1000, vms: 20_000)
        var rules = BalanceRules()
        rules.movesMax = 2000
        var plan: BalancePlan?
        let time = ContinuousClock().measure { plan = cluster.planBalance(rules: rules) }
        let found = try #require(plan)
        print(
            "balance, 1,000 hosts, 20,000 VMs: \(found.before) -> \(found.after), "
                + "\(found.moves.moves.count) moves in \(found.moves.waves) waves, planned in \(time)"
        )
        #expect(found.after <= rules.settleAt)
    }

    @Test func `Drain of one host of 1,000 with 10,000 VMs, and groups for maintenance`() throws {
        let cluster = try cluster(hosts: 1000, vms: 10_000)
        let busiest = try #require(
            cluster.allHosts.max { cluster.hostedVMCount(on: $0) < cluster.hostedVMCount(on: $1) })
        var plan = MovePlan()
        let time = ContinuousClock().measure { plan = cluster.planDrain(of: [busiest]) }
        print("drain, 1,000 hosts, 10,000 VMs: \(plan.moves.count) moves, planned in \(time)")
        #expect(plan.left.isEmpty && plan.moves.count == cluster.hostedVMCount(on: busiest))
        var groups: MaintenancePlan?
        let groupTime = ContinuousClock().measure {
            groups = cluster.planMaintenance(of: Array(cluster.allHosts), groupMax: 100)
        }
        print("maintenance of all: \(groups?.groups.count ?? 0) groups, planned in \(groupTime)")
        #expect(groups?.impossible.isEmpty == true)
    }

    @Test(arguments: [1000, 10_000, 100_000])
    func `Decisions`(hosts: Int) throws {
        // A policy that looks at every host is not meant for so many.
        let policies = NamedPolicies.allPolicies(seed: 1).filter {
            $0.choice != .all || hosts <= 1000
        }
        for policy in policies + [LifetimeAware()] {
            try decide(by: policy, hosts: hosts, vms: min(4 * hosts, 50_000))
        }
    }

    /// VMs of unlike shapes come one every four seconds and live for minutes to days.
    private func decide(by policy: any PlacementPolicy, hosts: Int, vms: Int) throws {
        var cluster = ClusterState()
        cluster.maintainIndex(for: policy)
        for number in 0..<hosts {
            try cluster.registerHost(host("h\(number)", cores: 64, memory: 256))
        }
        var lots = SplitMix64(seed: 2)
        var placed = 0
        var (choosing, keeping) = (Duration.zero, Duration.zero)
        for number in 0..<vms {
            let new = try cluster.registerVM(
                vm(
                    number, vcpus: 1 + lots.drawNumber(below: 16),
                    memory: 1 + lots.drawNumber(below: 64)))
            let clock = ContinuousClock()
            let start = clock.now
            cluster.advanceClock(to: number * 4)
            cluster.setExpectedDeparture(at: number * 4 + 60 << lots.drawNumber(below: 14), of: new)
            let begin = clock.now
            let chosen = cluster.chooseHost(for: new, using: policy)
            let end = clock.now
            if let chosen {
                cluster.assignVM(new, to: chosen)
                placed += 1
            }
            choosing += end - begin
            keeping += begin - start + (clock.now - end)
        }
        print(
            "\(policy.name), \(hosts) hosts: \(choosing / vms) a decision, \(keeping / vms) to keep the index"
        )
        #expect(placed == vms)
    }
}
