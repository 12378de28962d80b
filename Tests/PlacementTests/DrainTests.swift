// Drain plans on small clusters: where VMs go, in what order, and what is said of those that stay.

import Model
import Placement
import Testing

@Suite("Drain")
struct DrainTests {
    /// Hosts with so much memory each, in GiB, and many cores.
    private func hosts(_ memory: [Int]) throws -> ClusterState {
        var cluster = ClusterState()
        for (number, memory) in memory.enumerated() {
            try cluster.registerHost(host("h\(number)", cores: 64, memory: memory))
        }
        return cluster
    }

    /// Every rule holds in every state that the plan passes through.
    private func applied(_ plan: MovePlan, to cluster: ClusterState) -> ClusterState {
        var cluster = cluster
        plan.applyMoves(to: &cluster) { #expect($0.ruleViolation() == nil) }
        #expect(cluster.sumMismatch() == nil)
        return cluster
    }

    @Test func `VMs are spread at once, not dumped on one host`() throws {
        var cluster = try hosts([64, 64, 64, 64])
        for number in 0..<9 { try cluster.run(vm(number, memory: 4), on: 0) }
        let plan = cluster.planDrain(of: [0])
        #expect(plan.left.isEmpty)
        let after = applied(plan, to: cluster)
        #expect(after.allHosts.map { after.hostedVMCount(on: $0) } == [0, 3, 3, 3])
    }

    @Test func `A host that is loaded already gets less`() throws {
        var cluster = try hosts([64, 64, 64])
        try cluster.run(vm(100, memory: 32), on: 1)
        for number in 0..<4 { try cluster.run(vm(number, memory: 4), on: 0) }
        let after = applied(cluster.planDrain(of: [0]), to: cluster)
        #expect(after.hostedVMCount(on: 1) == 1 && after.hostedVMCount(on: 2) == 4)
    }

    @Test func `The important come first, then the large`() throws {
        var cluster = try hosts([64, 64, 64])
        for (number, memory) in [2, 8, 4].enumerated() {
            try cluster.run(vm(number, memory: memory), on: 0)
        }
        try cluster.run(vm(3, memory: 1) { $0.priority = 9 }, on: 0)
        let plan = cluster.planDrain(of: [0], limits: MoveLimits(perHost: 1))
        #expect(plan.moves.map(\.vm) == [3, 1, 2, 0])
        #expect(plan.waves == 4)
    }

    @Test func `When not all fit, the important find room`() throws {
        var cluster = try hosts([64, 16])
        let first = try cluster.run(vm(0, memory: 16), on: 0)
        let important = try cluster.run(vm(1, memory: 12) { $0.priority = 1 }, on: 0)
        let plan = cluster.planDrain(of: [0])
        #expect(plan.moves.map(\.vm) == [important])
        #expect(plan.left.map(\.vm) == [first])
        #expect(plan.left[0].reason.lines.map(\.filter) == ["memory"])
    }

    @Test func `What cannot move is left with the reasons of all hosts`() throws {
        var cluster = try hosts([64, 64, 8])
        cluster.setHostState(.maintenance, of: 1)
        let pinned = try cluster.run(vm(0) { $0.pinnedHost = "h0" }, on: 0)
        let large = try cluster.run(vm(1, memory: 9), on: 0)
        let plan = cluster.planDrain(of: [0])
        #expect(plan.moves.isEmpty && plan.waves == 0)
        #expect(Set(plan.left.map(\.vm)) == [pinned, large])
        let why = try #require(plan.left.first { $0.vm == large }?.reason)
        #expect(Set(why.lines.map(\.filter)) == ["memory", "host state"])
        #expect("\(why)".contains("h2: needs 9GiB of memory, 8GiB of 8GiB are free"))
    }

    @Test func `Side by side as far as limits go, the time adds up wave by wave`() throws {
        var cluster = try hosts([64, 64, 64])
        for number in 0..<4 {
            try cluster.run(vm(number, memory: 4) { $0.dirtyBytesPerSecond = 0 }, on: 0)
        }
        var costs = MigrationCostModel()
        costs.engineBytesPerSecond = 1e12
        let one = cluster.planDrain(of: [0], limits: MoveLimits(perHost: 1), costs: costs)
        let two = cluster.planDrain(of: [0], limits: MoveLimits(perHost: 2), costs: costs)
        #expect(one.waves == 4 && two.waves == 2)
        // Two share the link: each takes twice as long, but for the fixed part.
        let seconds = Double(4 * gibibyte) / 1.25e9
        #expect(abs(one.moves[0].prediction.duration.expected.seconds - seconds - 0.256) < 1e-6)
        #expect(abs(two.moves[0].prediction.duration.expected.seconds - 2 * seconds - 0.256) < 1e-6)
        let sum = one.moves.reduce(Duration.zero) { $0 + $1.prediction.duration.expected }
        #expect(one.duration.expected == sum)
        #expect(one.duration.lower < sum && sum < one.duration.upper)
    }

    @Test func `A pause above the VM's limit is told`() throws {
        var cluster = try hosts([64, 64])
        try cluster.run(vm(0) { $0.downtimeLimit = .milliseconds(2) }, on: 0)
        let plan = cluster.planDrain(of: [0])
        #expect(plan.moves.count == 1 && plan.aboveDowntimeLimit == plan.moves)
    }

    @Test func `Room is made for a VM that fits nowhere`() throws {
        // h1 and h2 have 10 free each; the VM needs 16. A VM of 8 can go from one to the other.
        var cluster = try hosts([64, 20, 20])
        let large = try cluster.run(vm(0, memory: 16), on: 0)
        let small = try cluster.run(vm(1, memory: 8), on: 1)
        try cluster.run(vm(2, memory: 8), on: 2)
        let plan = cluster.planDrain(of: [0])
        #expect(plan.left.isEmpty)
        #expect(plan.moves.map(\.vm) == [small, large])
        #expect(plan.moves.map(\.wave) == [0, 1])
        #expect(plan.moves[0].reason == .makesRoom(for: large))
        #expect(applied(plan, to: cluster).hostedVMCount(on: 0) == 0)
    }

    @Test func `Nobody more important gives way`() throws {
        var cluster = try hosts([64, 20, 20])
        let large = try cluster.run(vm(0, memory: 16), on: 0)
        try cluster.run(vm(1, memory: 8) { $0.priority = 1 }, on: 1)
        try cluster.run(vm(2, memory: 8) { $0.mayBeBalanced = false }, on: 2)
        let plan = cluster.planDrain(of: [0])
        #expect(plan.moves.isEmpty && plan.left.map(\.vm) == [large])
    }

    @Test func `VMs that belong on one host leave together, in one wave`() throws {
        var cluster = try hosts([64, 20, 40])
        try cluster.registerGroup(AffinityGroup(name: "app", kind: .together))
        for number in 0..<3 {
            try cluster.run(vm(number, memory: 8) { $0.groups = ["app"] }, on: 0)
        }
        try cluster.run(vm(3, memory: 21), on: 0)
        let plan = cluster.planDrain(of: [0])
        #expect(Set(plan.moves.map(\.to)) == [2])
        #expect(plan.moves.map(\.wave) == [0, 0, 0])
        #expect(plan.left.map(\.vm) == [3])
        _ = applied(plan, to: cluster)
    }

    @Test func `Several hosts are drained at once, none onto another of them`() throws {
        var cluster = try hosts([64, 64, 64, 64])
        for number in 0..<12 { try cluster.run(vm(number, memory: 4), on: number % 3) }
        let plan = cluster.planDrain(of: [0, 1, 2])
        #expect(plan.left.isEmpty && plan.moves.allSatisfy { $0.to == 3 })
        #expect(applied(plan, to: cluster).hostedVMCount(on: 3) == 12)
    }

    @Test func `VMs that must change places do so by way of a spare host`() throws {
        // Homes say that each belongs where the other is, and neither host has room for both.
        var cluster = try hosts([16, 16, 16])
        try cluster.run(vm(0, memory: 12), on: 1)
        try cluster.run(vm(1, memory: 12), on: 0)
        var book = HomeTable()
        book.recordHome(of: vm(0).id, at: "h0")
        let blocked = cluster.planReturn(to: 0, homes: book)
        #expect(blocked.moves.isEmpty && blocked.left.map(\.vm) == [0])
        book.recordHome(of: vm(1).id, at: "h1")
        let swap = cluster.planReturn(to: [0, 1], homes: book)
        #expect(swap.left.isEmpty)
        #expect(swap.moves.count == 3 && swap.waves == 3)
        #expect(swap.moves[0].to == 2)
        let after = applied(swap, to: cluster)
        #expect(after.currentHost(of: 0) == 0 && after.currentHost(of: 1) == 1)
    }

    @Test func `What was drained comes back, and what has a new home or no room does not`() throws {
        var cluster = try hosts([16, 64, 64])
        for number in 0..<3 { try cluster.run(vm(number, memory: 5), on: 0) }
        let drain = cluster.planDrain(of: [0])
        var book = HomeTable()
        book.recordHomes(from: drain, in: cluster)
        #expect(book.homes.count == 3 && Set(book.homes.values) == ["h0"])
        var after = applied(drain, to: cluster)
        try after.run(vm(9, memory: 5), on: 0)
        book.removeHome(of: vm(1).id)
        let back = after.planReturn(to: 0, homes: book)
        #expect(Set(back.moves.map(\.vm)) == [0, 2])
        #expect(back.moves.allSatisfy { $0.reason == .returns && $0.to == 0 })
        try after.run(vm(10, memory: 5), on: 0)
        let partly = after.planReturn(to: 0, homes: book)
        #expect(partly.moves.count == 1 && partly.left.count == 1)
    }

    @Test func `A VM that is drained twice goes back to where it was first`() {
        var book = HomeTable()
        book.recordHome(of: vm(1).id, at: "a")
        book.recordHome(of: vm(1).id, at: "b")
        #expect(book.homes == [vm(1).id: "a"])
        #expect(HomeTable(homes: book.homes) == book)
    }
}
