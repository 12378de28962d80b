// What holds for every drain, every return and every maintenance plan on every cluster.

import Model
import Placement
import Testing

@Suite("Drain on random clusters")
struct DrainPropertyTests {
    private func anyLimits(_ lots: inout SplitMix64) -> MoveLimits {
        MoveLimits(
            perHost: 1 + lots.drawNumber(below: 3), perLink: 1 + lots.drawNumber(below: 4),
            perCluster: 1 + lots.drawNumber(below: 8))
    }

    @Test(arguments: 0..<80 as Range<UInt64>)
    func `Every VM leaves or is left with a reason, and no rule is broken on the way`(
        seed: UInt64
    ) throws {
        let size = 4 + Int(seed % 20)
        // Fuller and fuller: room must be made, and in the end it cannot.
        var random = try RandomCluster(seed: seed, hosts: size, vms: size * (4 + Int(seed) / 4))
        var state = random.state
        let drained = Array(
            Set(
                (0...random.lots.drawNumber(below: 2)).map { _ in
                    random.lots.drawNumber(below: size)
                }))
        let leaving = Set(drained.flatMap { state.hostedVMs(on: $0) })
        let plan = state.planDrain(of: drained, limits: anyLimits(&random.lots))
        for host in drained { state.setHostState(.draining, of: host) }
        plan.applyMoves(to: &state) { #expect($0.ruleViolation() == nil) }
        #expect(state.sumMismatch() == nil)
        let left = Set(plan.left.map(\.vm))
        #expect(Set(drained.flatMap { state.hostedVMs(on: $0) }) == leaving.intersection(left))
        #expect(left.isSubset(of: leaving), "no VM that was not to leave is stranded")
        for vm in plan.left { #expect(!vm.reason.lines.isEmpty) }
        #expect(plan.moves.map(\.wave) == plan.moves.map(\.wave).sorted())
        #expect(plan.duration.lower <= plan.duration.upper)
    }

    @Test(arguments: 0..<30 as Range<UInt64>)
    func `A drain leaves the load more even than first fit would`(seed: UInt64) throws {
        let random = try RandomCluster(seed: seed, hosts: 20, vms: 80, withGroups: false)
        let busiest =
            random.state.allHosts.max {
                random.state.hostedVMCount(on: $0) < random.state.hostedVMCount(on: $1)
            } ?? 0
        let figure = { (state: ClusterState) in
            LoadSpread(of: state) { $0 != busiest }.score
        }
        var planned = random.state
        planned.planDrain(of: [busiest]).applyMoves(to: &planned)
        var dumped = random.state
        dumped.setHostState(.draining, of: busiest)
        for vm in dumped.hostedVMs(on: busiest) {
            if let host = dumped.chooseHost(for: vm, using: FirstFit()) {
                dumped.relocateVM(vm, to: host)
            }
        }
        #expect(figure(planned) <= figure(dumped) + 1e-9)
    }

    @Test(arguments: 0..<30 as Range<UInt64>)
    func `After a drain and a return everything is where it was, where room is left`(
        seed: UInt64
    ) throws {
        var random = try RandomCluster(seed: seed, hosts: 15, vms: 60, withGroups: false)
        var state = random.state
        let before = state.places
        let plan = state.planDrain(of: [3], limits: anyLimits(&random.lots))
        var book = HomeTable()
        book.recordHomes(from: plan, in: state)
        plan.applyMoves(to: &state)
        let back = state.planReturn(to: Array(state.allHosts), homes: book)
        back.applyMoves(to: &state) { #expect($0.ruleViolation() == nil) }
        // A host that was full to the brim has no room for what a migration needs beside the guest.
        for vm in back.left { #expect(vm.reason.lines.map(\.filter) == ["migration space"]) }
        let left = Set(back.left.map(\.vm))
        #expect(
            state.places.filter { !left.contains($0.key) }
                == before.filter { !left.contains($0.key) })
        #expect(left.count < 3)
    }

    @Test(arguments: 0..<20 as Range<UInt64>)
    func `Maintenance groups hold every host once, and each can be emptied as a whole`(
        seed: UInt64
    ) throws {
        let size = 6 + Int(seed)
        let state = try RandomCluster(seed: seed, hosts: size, vms: size * 4).state
        let plan = state.planMaintenance(of: Array(state.allHosts), groupMax: 1 + Int(seed % 5))
        let all = (plan.groups + plan.impossible).flatMap(\.hosts)
        #expect(all.sorted() == Array(state.allHosts))
        for group in plan.groups {
            #expect(group.hosts.count <= 1 + Int(seed % 5))
            #expect(group.drain.left.isEmpty)
            var during = state
            for host in group.hosts { during.setHostState(.draining, of: host) }
            group.drain.applyMoves(to: &during) { #expect($0.ruleViolation() == nil) }
            #expect(group.hosts.allSatisfy { during.hostedVMCount(on: $0) == 0 })
        }
        for group in plan.impossible {
            #expect(group.hosts.count == 1 && !group.drain.left.isEmpty)
        }
    }

    @Test func `Groups are as large as room allows`() throws {
        // Ten hosts, each 40 % full: six carry the load of ten, so four can go at once.
        var cluster = ClusterState()
        for number in 0..<10 { try cluster.registerHost(host("h\(number)", cores: 64, memory: 10)) }
        for number in 0..<40 { try cluster.run(vm(number), on: number % 10) }
        let plan = cluster.planMaintenance(of: Array(0..<10), groupMax: 10)
        #expect(plan.groups.map(\.hosts.count) == [6, 4])
        #expect(plan.impossible.isEmpty)
    }
}
