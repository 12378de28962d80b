// Lifetime-aware placement: who stands with whom, what changes when a VM does not end as expected.

import Model
import Placement
import Testing

@Suite("Lifetime-aware placement")
struct LifetimeAwareTests {
    private let hour = 3600

    /// Like hosts with one VM each, which departs after so many hours; nil: the host is empty.
    private func cluster(_ hours: [Int?]) throws -> ClusterState {
        var cluster = ClusterState()
        cluster.maintainIndex(for: LifetimeAware())
        for (number, hours) in hours.enumerated() {
            try cluster.registerHost(host("h\(number)"))
            guard let hours else { continue }
            let index = try cluster.run(vm(number, memory: 8), on: number)
            cluster.setExpectedDeparture(at: hours * hour, of: index)
        }
        return cluster
    }

    private func choice(_ hours: Int?, in cluster: ClusterState) throws -> HostIndex? {
        var cluster = cluster
        let new = try cluster.registerVM(vm(99))
        if let hours { cluster.setExpectedDeparture(at: hours * hour, of: new) }
        let chosen = cluster.chooseHost(for: new, using: LifetimeAware())
        #expect(chosen == cluster.chooseHostByScan(for: new, using: LifetimeAware()))
        return chosen
    }

    @Test func `A VM goes where it ends no later than others; of such hosts to the fullest`() throws
    {
        var cluster = try cluster([nil, 2, 10, 50, 60])
        #expect(try choice(1, in: cluster) == 1)
        #expect(try choice(9, in: cluster) == 2)
        #expect(try choice(40, in: cluster) == 3)
        let more = try cluster.run(vm(50, memory: 16), on: 4)
        cluster.setExpectedDeparture(at: hour, of: more)
        #expect(try choice(40, in: cluster) == 4)
    }

    @Test func `Where it would outlive all, the host that it outlives least`() throws {
        let cluster = try cluster([nil, 2, 10, 50])
        #expect(try choice(70, in: cluster) == 3)
        // 100 hours and 95 are the same step, but one of the hosts is empty.
        #expect(try choice(100, in: try self.cluster([nil, 5])) == 1)
    }

    @Test func `A VM of which nothing is expected counts as one that stays`() throws {
        var cluster = try cluster([2, 10, nil])
        let stays = try cluster.run(vm(7), on: 2)
        #expect(cluster.expectedDeparture(of: stays) == ClusterState.never)
        #expect(try choice(nil, in: cluster) == 2)
        #expect(try choice(20, in: cluster) == 2)
    }

    @Test func `Where nothing is expected of anybody it is best fit that spares empty hosts`()
        throws
    {
        var cluster = try cluster([nil, nil, nil])
        try cluster.run(vm(1, memory: 8), on: 1)
        try cluster.run(vm(2, memory: 16), on: 2)
        #expect(try choice(nil, in: cluster) == 2)
    }

    @Test func `A host's exit follows its VMs as they come, go, move and are foretold anew`() throws
    {
        var cluster = try cluster([2, 10, nil])
        #expect(cluster.allHosts.map { cluster.expectedExit(of: $0) } == [2 * hour, 10 * hour, 0])
        let second = try cluster.run(vm(7), on: 0)
        cluster.setExpectedDeparture(at: 30 * hour, of: second)
        #expect(cluster.expectedExit(of: 0) == 30 * hour)
        cluster.beginMigration(of: second, to: 2)
        cluster.finishMigration(of: second)
        #expect(cluster.expectedExit(of: 0) == 2 * hour && cluster.expectedExit(of: 2) == 30 * hour)
        cluster.setExpectedDeparture(at: 20 * hour, of: second)
        #expect(cluster.expectedExit(of: 2) == 20 * hour)
        cluster.advanceClock(to: 25 * hour)
        #expect(cluster.expectedExit(of: 2) == 25 * hour, "it should have ended")
        cluster.advanceClock(to: 3 * hour)
        #expect(cluster.now == 25 * hour, "time goes forward only")
        cluster.unregisterVM(second)
        #expect(cluster.expectedExit(of: 2) == 25 * hour)
        #expect(cluster.sumMismatch() == nil)
    }

    @Test func `A host whose VM outstays its time is no longer one that will soon be empty`() throws
    {
        var cluster = try cluster([2, 10])
        #expect(try choice(13, in: cluster) == 1)
        cluster.advanceClock(to: 3 * hour)
        cluster.setExpectedDeparture(at: 40 * hour, of: 0)
        #expect(try choice(13, in: cluster) == 0)
    }
}
