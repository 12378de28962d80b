// Clusters to test with: small ones by hand, random ones by a seed.

import Model
import Placement

let gibibyte = 1 << 30

func host(
    _ name: String, cores: Int = 8, memory: Int = 64, state: HostState = .active,
    _ change: (inout PlacementHost) -> Void = { _ in }
) -> PlacementHost {
    var host = PlacementHost(
        name: name, capacity: Resources(milliCPUs: cores * 1000, memoryBytes: memory * gibibyte))
    host.state = state
    change(&host)
    return host
}

func vm(
    _ number: Int, vcpus: Int = 1, memory: Int = 1, _ change: (inout PlacementVM) -> Void = { _ in }
) -> PlacementVM {
    var vm = PlacementVM(
        id: VMID(high: 0, low: UInt64(number)), name: "vm\(number)",
        request: Resources(milliCPUs: vcpus * 1000, memoryBytes: memory * gibibyte))
    change(&vm)
    return vm
}

extension ClusterState {
    /// Adds a VM that runs on a host already.
    @discardableResult
    mutating func run(_ vm: PlacementVM, on host: HostIndex) throws -> VMIndex {
        let index = try registerVM(vm)
        assignVM(index, to: host)
        return index
    }

    /// Where everything runs.
    var places: [VMIndex: HostIndex] {
        Dictionary(
            uniqueKeysWithValues: allVMs.compactMap { vm in currentHost(of: vm).map { (vm, $0) } })
    }
}

/// Random clusters of unlike hosts, with features, labels, fault domains, groups, pins and measured loads.
struct RandomCluster {
    var lots: SplitMix64
    var state: ClusterState
    private var nextVM = 0

    static let groups: [AffinityGroup] = [
        AffinityGroup(name: "apart-host", kind: .apart()),
        AffinityGroup(name: "apart-rack", kind: .apart(perDomainMax: 2), scope: .rack),
        AffinityGroup(name: "apart-zone", kind: .apart(perDomainMax: 3), scope: .zone),
        AffinityGroup(name: "together-host", kind: .together),
        AffinityGroup(name: "together-rack", kind: .together, scope: .rack),
        AffinityGroup(name: "soft-apart", kind: .apart(), strength: .soft(weight: 0.5)),
        AffinityGroup(name: "soft-together", kind: .together, scope: .zone, strength: .soft()),
        AffinityGroup(name: "ring/0", kind: .partition(of: "ring"), scope: .rack),
        AffinityGroup(name: "ring/1", kind: .partition(of: "ring"), scope: .rack),
    ]

    init(seed: UInt64, hosts: Int, vms: Int, withGroups: Bool = true) throws {
        lots = SplitMix64(seed: seed)
        state = ClusterState(migrationOverheadBytes: 32 << 20)
        if withGroups { for group in Self.groups { try state.registerGroup(group) } }
        for number in 0..<hosts { try state.registerHost(anyHost(number)) }
        for _ in 0..<vms {
            let vm = try addVM(withGroups: withGroups)
            if let host = anyHostFor(vm) {
                state.assignVM(vm, to: host)
            } else {
                state.unregisterVM(vm)
            }
        }
    }

    private mutating func anyHost(_ number: Int) -> PlacementHost {
        let cores = 8 << lots.drawNumber(below: 3)
        var host = host("h\(number)", cores: cores, memory: cores * (2 + lots.drawNumber(below: 3)))
        host.cpuOvercommit = [1, 2, 4][lots.drawNumber(below: 3)]
        host.memoryOvercommit = lots.drawNumber(below: 4) == 0 ? 1.25 : 1
        host.reservedMemoryBytes = gibibyte
        host.features = CPUFeatures(
            lots.drawNumber(below: 4) == 0 ? ["avx2"] : ["avx2", "avx512f"])
        host.labels = lots.drawNumber(below: 3) == 0 ? ["disk=ssd", "gpu"] : ["disk=ssd"]
        host.domain = FaultDomain(zone: "z\(number % 3)", rack: "r\(number % 7)")
        host.link = lots.drawNumber(below: 3) == 0 ? "switch" : ""
        host.ownUse = MeasuredUse(
            cores: lots.drawFraction(), memoryBytes: Double(gibibyte) * lots.drawFraction())
        return host
    }

    /// A new VM that runs nowhere.
    mutating func addVM(withGroups: Bool = true) throws -> VMIndex {
        nextVM += 1
        let size = 1 << lots.drawNumber(below: 4)
        var new = vm(nextVM, vcpus: size, memory: size * (1 + lots.drawNumber(below: 3)))
        if lots.drawNumber(below: 4) == 0 { new.features = CPUFeatures(["avx512f"]) }
        if lots.drawNumber(below: 8) == 0 { new.labels = ["gpu"] }
        if lots.drawNumber(below: 20) == 0 {
            new.pinnedHost = state.hosts[lots.drawNumber(below: state.hosts.count)].name
        }
        if withGroups, lots.drawNumber(below: 3) == 0 {
            new.groups = [Self.groups[lots.drawNumber(below: Self.groups.count)].name]
        }
        new.priority = lots.drawNumber(below: 3)
        if lots.drawNumber(below: 5) > 0 {
            new.use = MeasuredUse(
                cores: Double(size) * lots.drawFraction(),
                memoryBytes: Double(new.request.memoryBytes) * lots.drawFraction())
            new.dirtyBytesPerSecond = 5e7 * lots.drawFraction()
        }
        return try state.registerVM(new)
    }

    /// A random host that admits a VM; uneven: low numbers come more often.
    mutating func anyHostFor(_ vm: VMIndex) -> HostIndex? {
        let purpose: PlacementPurpose = state.currentHost(of: vm) == nil ? .start : .migration
        let hosts = state.allHosts.filter {
            state.refusalReason(of: vm, on: $0, for: purpose) == nil
        }
        guard !hosts.isEmpty else { return nil }
        return hosts[min(lots.drawNumber(below: hosts.count), lots.drawNumber(below: hosts.count))]
    }

    /// Time goes by, and a VM's end is foretold anew: soon, late, or not at all.
    mutating func foretell() {
        let vms = state.allVMs
        if lots.drawNumber(below: 2) == 0 {
            state.advanceClock(
                to: state.now + lots.drawNumber(below: 20 << lots.drawNumber(below: 12)))
        }
        guard !vms.isEmpty else { return }
        let seconds = state.now + lots.drawNumber(below: 100 << lots.drawNumber(below: 16)) - 50
        state.setExpectedDeparture(
            at: lots.drawNumber(below: 8) == 0 ? ClusterState.never : seconds,
            of: vms[lots.drawNumber(below: vms.count)])
    }

    /// Something happens: a VM starts, stops, moves, is measured; a host changes its state.
    mutating func step() throws {
        let vms = state.allVMs
        let any = vms.isEmpty ? nil : vms[lots.drawNumber(below: vms.count)]
        switch (lots.drawNumber(below: 8), any) {
        case (0...2, _):
            let vm = try addVM()
            if let host = anyHostFor(vm) {
                state.assignVM(vm, to: host)
            } else {
                state.unregisterVM(vm)
            }
        case (3, let vm?): state.unregisterVM(vm)
        case (4, let vm?) where state.migrationTarget(of: vm) != nil: state.finishMigration(of: vm)
        case (4, let vm?): if let host = anyHostFor(vm) { state.beginMigration(of: vm, to: host) }
        case (5, let vm?) where state.migrationTarget(of: vm) != nil: state.abandonMigration(of: vm)
        case (5, let vm?):
            let use = MeasuredUse(
                cores: 3 * lots.drawFraction(), memoryBytes: 1e9 * lots.drawFraction())
            try state.setMeasuredUse(lots.drawNumber(below: 4) == 0 ? nil : use, of: vm)
        case (6, _):
            let host = lots.drawNumber(below: state.hosts.count)
            let states: [HostState] = [.active, .active, .draining, .maintenance, .unreachable]
            state.setHostState(states[lots.drawNumber(below: 5)], of: host)
        default:
            let use = MeasuredUse(
                cores: lots.drawFraction(), memoryBytes: 1e9 * lots.drawFraction())
            try state.setOwnUse(use, of: lots.drawNumber(below: state.hosts.count))
        }
    }
}
