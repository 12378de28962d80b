// Each filter refuses what it should, says so in figures, and lets everything else through.

import Model
import Placement
import Testing

@Suite("Filters")
struct FilterTests {
    /// One host, which `change` alters, against one VM.
    private func refusal(
        _ new: PlacementVM, on changed: PlacementHost, for purpose: PlacementPurpose = .start
    ) throws -> Refusal? {
        var cluster = ClusterState(migrationOverheadBytes: 1 << 29)
        try cluster.registerHost(changed)
        try cluster.registerHost(host("b", cores: 100, memory: 1000))
        let index = try cluster.registerVM(new)
        if purpose == .migration { cluster.assignVM(index, to: 1) }
        return cluster.refusalReason(of: index, on: 0, for: purpose)
    }

    @Test(arguments: [HostState.draining, .maintenance, .unreachable])
    func `Only an active host takes VMs`(state: HostState) throws {
        #expect(try refusal(vm(1), on: host("a", state: state)) == .hostState(state))
        #expect(try refusal(vm(1), on: host("a")) == nil)
    }

    @Test func `vCPUs fit up to cores times overcommit, and not one more`() throws {
        let a = host("a", cores: 4) { $0.cpuOvercommit = 2.5 }
        #expect(try refusal(vm(1, vcpus: 10), on: a) == nil)
        #expect(
            try refusal(vm(1, vcpus: 11), on: a)
                == .vcpus(neededMilli: 11000, freeMilli: 10000, limitMilli: 10000))
    }

    @Test func `Memory fits up to what is not reserved times overcommit, to the byte`() throws {
        let a = host("a", memory: 10) {
            $0.reservedMemoryBytes = 2 * gibibyte
            $0.memoryOvercommit = 1.5
        }
        #expect(try refusal(vm(1, memory: 12), on: a) == nil)
        let larger = vm(1) { $0.request.memoryBytes = 12 * gibibyte + 1 }
        #expect(
            try refusal(larger, on: a)
                == .memory(
                    neededBytes: 12 * gibibyte + 1, freeBytes: 12 * gibibyte,
                    limitBytes: 12 * gibibyte))
    }

    @Test func `A migration needs room beside the guest's own, a start does not`() throws {
        let a = host("a", memory: 4)
        #expect(try refusal(vm(1, memory: 4), on: a) == nil)
        #expect(
            try refusal(vm(1, memory: 4), on: a, for: .migration)
                == .migrationSpace(
                    neededBytes: 4 * gibibyte + 1 << 29, freeBytes: 4 * gibibyte))
    }

    @Test func `Missing CPU features and labels are named`() throws {
        let a = host("a") {
            $0.features = CPUFeatures(["avx2", "sse4_2"])
            $0.labels = ["disk=ssd"]
        }
        let wide = vm(1) { $0.features = CPUFeatures(["avx2", "avx512f", "amx_tile"]) }
        #expect(try refusal(wide, on: a) == .features(missing: ["amx_tile", "avx512f"]))
        let picky = vm(1) { $0.labels = ["disk=ssd", "gpu"] }
        #expect(try refusal(picky, on: a) == .labels(missing: ["gpu"]))
        let modest = vm(1) {
            $0.features = CPUFeatures(["sse4_2"])
            $0.labels = ["disk=ssd"]
        }
        #expect(try refusal(modest, on: a) == nil)
    }

    @Test func `A pinned VM runs on its host only`() throws {
        #expect(try refusal(vm(1) { $0.pinnedHost = "b" }, on: host("a")) == .pinned(to: "b"))
        #expect(try refusal(vm(1) { $0.pinnedHost = "a" }, on: host("a")) == nil)
    }

    @Test func `A VM does not move to where it runs`() throws {
        var cluster = ClusterState()
        try cluster.registerHost(host("a"))
        let index = try cluster.run(vm(1), on: 0)
        #expect(cluster.refusalReason(of: index, on: 0, for: .migration) == .sameHost)
    }

    /// Four hosts in two racks and two zones: a and b in rack 1, c in rack 2, d in rack 1 of the other zone.
    private func fourHosts(_ group: AffinityGroup) throws -> ClusterState {
        var cluster = ClusterState()
        for (name, zone, rack) in [
            ("a", "z1", "r1"), ("b", "z1", "r1"), ("c", "z1", "r2"), ("d", "z2", "r1"),
        ] {
            try cluster.registerHost(host(name) { $0.domain = FaultDomain(zone: zone, rack: rack) })
        }
        try cluster.registerGroup(group)
        return cluster
    }

    private func admitting(_ cluster: ClusterState, _ vm: VMIndex) -> [String] {
        let purpose: PlacementPurpose = cluster.currentHost(of: vm) == nil ? .start : .migration
        return cluster.allHosts.filter {
            cluster.refusalReason(of: vm, on: $0, for: purpose) == nil
        }
        .map { cluster.hosts[$0].name }
    }

    @Test(arguments: [
        (AffinityGroup.Scope.host, ["b", "c", "d"]), (.rack, ["c", "d"]), (.zone, ["d"]),
    ])
    func `Members that belong apart do not share a domain`(
        scope: AffinityGroup.Scope, free: [String]
    ) throws {
        var cluster = try fourHosts(AffinityGroup(name: "web", kind: .apart(), scope: scope))
        try cluster.run(vm(1) { $0.groups = ["web"] }, on: 0)
        let second = try cluster.registerVM(vm(2) { $0.groups = ["web"] })
        #expect(admitting(cluster, second) == free)
        let stranger = try cluster.registerVM(vm(3))
        #expect(admitting(cluster, stranger) == ["a", "b", "c", "d"])
        guard
            case .antiAffinity("web", _, 1, max: 1)? = cluster.refusalReason(
                of: second, on: 0, for: .start)
        else {
            Issue.record("no anti-affinity refusal")
            return
        }
    }

    @Test(arguments: [
        (AffinityGroup.Scope.host, ["a"]), (.rack, ["a", "b"]), (.zone, ["a", "b", "c"]),
    ])
    func `Members that belong together share a domain`(
        scope: AffinityGroup.Scope, free: [String]
    ) throws {
        var cluster = try fourHosts(AffinityGroup(name: "app", kind: .together, scope: scope))
        let first = try cluster.run(vm(1) { $0.groups = ["app"] }, on: 0)
        #expect(admitting(cluster, first) == ["b", "c", "d"], "alone, it may go anywhere")
        let second = try cluster.registerVM(vm(2) { $0.groups = ["app"] })
        #expect(admitting(cluster, second) == free)
        cluster.assignVM(second, to: 0)
        #expect(admitting(cluster, first) == free.filter { $0 != "a" })
    }

    @Test(arguments: [
        (AffinityGroup.Scope.host, ["b", "c", "d"]), (.rack, ["c", "d"]), (.zone, ["d"]),
    ])
    func `Partitions of one whole share no domain, their own members may`(
        scope: AffinityGroup.Scope, free: [String]
    ) throws {
        var cluster = try fourHosts(
            AffinityGroup(name: "ring/0", kind: .partition(of: "ring"), scope: scope))
        try cluster.registerGroup(
            AffinityGroup(name: "ring/1", kind: .partition(of: "ring"), scope: scope))
        try cluster.registerGroup(
            AffinityGroup(name: "other/0", kind: .partition(of: "other"), scope: scope))
        try cluster.run(vm(1) { $0.groups = ["ring/0"] }, on: 0)
        let same = try cluster.registerVM(vm(2) { $0.groups = ["ring/0"] })
        #expect(admitting(cluster, same) == ["a", "b", "c", "d"])
        let other = try cluster.registerVM(vm(3) { $0.groups = ["other/0"] })
        #expect(admitting(cluster, other) == ["a", "b", "c", "d"])
        let next = try cluster.registerVM(vm(4) { $0.groups = ["ring/1"] })
        #expect(admitting(cluster, next) == free)
        let refusal = cluster.refusalReason(of: next, on: 0, for: .start)
        #expect(refusal?.filter == "anti-affinity")

        cluster.assignVM(next, to: 3)
        #expect(cluster.ruleViolation() == nil)
        cluster.beginMigration(of: next, to: 2)
        #expect(cluster.sumMismatch() == nil)
        cluster.finishMigration(of: next)
        let wrong = try cluster.registerVM(vm(5) { $0.groups = ["ring/0"] })
        cluster.assignVM(wrong, to: 2)
        #expect(cluster.ruleViolation()?.contains("another partition") == true)
    }

    @Test func `A soft partition only costs`() throws {
        var cluster = try fourHosts(
            AffinityGroup(name: "ring/0", kind: .partition(of: "ring"), strength: .soft(weight: 2)))
        try cluster.registerGroup(
            AffinityGroup(name: "ring/1", kind: .partition(of: "ring"), strength: .soft(weight: 2)))
        try cluster.run(vm(1) { $0.groups = ["ring/0"] }, on: 0)
        let next = try cluster.registerVM(vm(2) { $0.groups = ["ring/1"] })
        #expect(admitting(cluster, next) == ["a", "b", "c", "d"])
        cluster.maintainIndex(for: FirstFit())
        #expect(cluster.chooseHost(for: next, using: FirstFit()) == 1)
        #expect(cluster.ruleViolation() == nil)
    }

    @Test func `So many members as a domain may have are let in`() throws {
        var cluster = try fourHosts(
            AffinityGroup(name: "web", kind: .apart(perDomainMax: 2), scope: .rack))
        try cluster.run(vm(1) { $0.groups = ["web"] }, on: 0)
        try cluster.run(vm(2) { $0.groups = ["web"] }, on: 1)
        let third = try cluster.registerVM(vm(3) { $0.groups = ["web"] })
        #expect(admitting(cluster, third) == ["c", "d"])
    }

    @Test func `A member that is being moved counts at both ends`() throws {
        var cluster = try fourHosts(AffinityGroup(name: "web", kind: .apart()))
        let first = try cluster.run(vm(1) { $0.groups = ["web"] }, on: 0)
        let second = try cluster.registerVM(vm(2) { $0.groups = ["web"] })
        cluster.beginMigration(of: first, to: 2)
        #expect(admitting(cluster, second) == ["b", "d"])
        cluster.finishMigration(of: first)
        #expect(admitting(cluster, second) == ["a", "b", "d"])
    }

    @Test func `Hosts whose rack is not known stand alone`() throws {
        var cluster = ClusterState()
        for name in ["a", "b"] { try cluster.registerHost(host(name)) }
        try cluster.registerGroup(AffinityGroup(name: "web", kind: .apart(), scope: .rack))
        try cluster.run(vm(1) { $0.groups = ["web"] }, on: 0)
        let second = try cluster.registerVM(vm(2) { $0.groups = ["web"] })
        #expect(admitting(cluster, second) == ["b"])
    }

    @Test(arguments: [
        (
            Refusal.vcpus(neededMilli: 1500, freeMilli: 250, limitMilli: 8000),
            "needs 1.5 vCPUs, 0.25 of 8 are free"
        ),
        (
            .memory(neededBytes: 3 << 30, freeBytes: 1536 << 20, limitBytes: 64 << 30),
            "needs 3GiB of memory, 1.5GiB of 64GiB are free"
        ),
        (.features(missing: ["avx2"]), "the host lacks CPU features avx2"),
        (
            .antiAffinity(group: "web", domain: "rack r1", members: 2, max: 1),
            "2 of group web are in rack r1 where 1 may be"
        ),
    ])
    func `A refusal reads as a sentence with its figures`(refusal: Refusal, text: String) {
        #expect("\(refusal)" == text)
    }
}
