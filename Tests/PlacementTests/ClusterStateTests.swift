// The state's sums follow every change, and what cannot be is refused.

import Model
import Placement
import Testing

@Suite("Cluster state")
struct ClusterStateTests {
    @Test(arguments: 0..<30 as Range<UInt64>)
    func `After any history the sums are what their parts add up to`(seed: UInt64) throws {
        var random = try RandomCluster(seed: seed, hosts: 12, vms: 40)
        for step in 0..<300 {
            try random.step()
            if let wrong = random.state.sumMismatch() {
                Issue.record("step \(step): \(wrong)")
                return
            }
        }
    }

    @Test func `A copy is not changed by what happens to the other`() throws {
        var random = try RandomCluster(seed: 5, hosts: 6, vms: 20)
        let copy = random.state
        let before = copy.places
        for _ in 0..<50 { try random.step() }
        #expect(copy.places == before)
        #expect(copy.sumMismatch() == nil)
    }

    @Test func `What cannot be added is refused by name`() throws {
        var cluster = ClusterState()
        try cluster.registerHost(host("a"))
        try cluster.registerVM(vm(1))
        #expect(throws: ClusterStateError.duplicateHost("a")) {
            try cluster.registerHost(host("a"))
        }
        #expect(throws: ClusterStateError.duplicateVM(vm(1).id, name: "vm1")) {
            try cluster.registerVM(vm(1))
        }
        #expect(throws: ClusterStateError.unknownGroup("g", vm: "vm2")) {
            try cluster.registerVM(vm(2) { $0.groups = ["g"] })
        }
        #expect(throws: ClusterStateError.unknownHost("z")) {
            try cluster.registerVM(vm(2) { $0.pinnedHost = "z" })
        }
        #expect(throws: ClusterStateError.badFigure("use", of: "vm2")) {
            try cluster.registerVM(
                vm(2) { $0.use = MeasuredUse(cores: .nan, memoryBytes: 0) })
        }
        #expect(throws: ClusterStateError.badFigure("CPU overcommit", of: "b")) {
            try cluster.registerHost(host("b") { $0.cpuOvercommit = -1 })
        }
        #expect(cluster.vmCount == 1)
    }

    @Test func `A row is used again and knows nothing of its last VM`() throws {
        var cluster = ClusterState()
        try cluster.registerHost(host("a"))
        try cluster.registerGroup(AffinityGroup(name: "g", kind: .apart()))
        let first = try cluster.run(
            vm(1) {
                $0.groups = ["g"]
                $0.pinnedHost = "a"
            }, on: 0)
        cluster.unregisterVM(first)
        let second = try cluster.registerVM(vm(2))
        #expect(second == first)
        #expect(cluster.currentHost(of: second) == nil)
        #expect(cluster.indexOfVM(withID: vm(1).id) == nil)
        #expect(cluster.indexOfVM(withID: vm(2).id) == second)
        #expect(cluster.description(of: second).groups.isEmpty)
        #expect(cluster.usedResources(on: 0) == .none)
        #expect(cluster.sumMismatch() == nil)
    }

    @Test func `A VM that is being moved takes room at both ends, with what its migration needs`()
        throws
    {
        var cluster = ClusterState(migrationOverheadBytes: gibibyte)
        for name in ["a", "b"] { try cluster.registerHost(host(name)) }
        let index = try cluster.run(vm(1, vcpus: 2, memory: 4), on: 0)
        cluster.beginMigration(of: index, to: 1)
        #expect(cluster.usedResources(on: 0) == Resources(vcpus: 2, memory: .gibibytes(4)))
        #expect(cluster.usedResources(on: 1) == Resources(vcpus: 2, memory: .gibibytes(5)))
        cluster.finishMigration(of: index)
        #expect(cluster.usedResources(on: 0) == .none)
        #expect(cluster.usedResources(on: 1) == Resources(vcpus: 2, memory: .gibibytes(4)))
        #expect(cluster.currentHost(of: index) == 1)
    }

    @Test func `Before anything is measured, part of what was asked for counts as load`() throws {
        var cluster = ClusterState(assumedBusyShare: 0.25)
        try cluster.registerHost(host("a", cores: 8, memory: 64))
        let index = try cluster.run(vm(1, vcpus: 4, memory: 16), on: 0)
        #expect(cluster.loadShare(of: 0) == (0.125, 0.25))
        try cluster.setMeasuredUse(
            MeasuredUse(cores: 4, memoryBytes: Double(8 * gibibyte)), of: index)
        #expect(cluster.loadShare(of: 0) == (0.5, 0.125))
    }

    @Test func `VMs bound to each other make one bundle, through any chain of groups`() throws {
        var cluster = ClusterState()
        try cluster.registerHost(host("a"))
        try cluster.registerGroup(AffinityGroup(name: "g", kind: .together))
        try cluster.registerGroup(AffinityGroup(name: "h", kind: .together))
        try cluster.registerGroup(AffinityGroup(name: "soft", kind: .together, strength: .soft()))
        let members = try [["g"], ["g", "h"], ["h"], ["soft"], []].enumerated().map {
            number, groups in
            try cluster.run(vm(number) { $0.groups = groups }, on: 0)
        }
        #expect(Set(cluster.affinityBundle(of: members[0])) == Set(members[0...2]))
        #expect(cluster.affinityBundle(of: members[3]) == [members[3]])
        #expect(cluster.affinityBundle(of: members[4]) == [members[4]])
    }
}
