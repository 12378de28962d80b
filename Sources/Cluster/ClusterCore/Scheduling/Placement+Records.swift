// Records as the scheduler describes hosts, VMs and groups.

import API
import Model
import Placement

extension PlacementHost {
    init(_ host: HostRecord) {
        let facts = host.description
        self.init(
            name: host.name.text,
            capacity: Resources(vcpus: facts.cores, memory: ByteCount(facts.memoryBytes)))
        state = host.state
        reservedMemoryBytes = Int(facts.memoryReserveBytes)
        cpuOvercommit = facts.cpuOvercommit
        memoryOvercommit = facts.memoryOvercommit
        features = CPUFeatures(facts.cpuFeatures)
        labels = Set(facts.labels)
        domain = FaultDomain(zone: facts.zone, rack: facts.rack)
        link = facts.link
        linkBytesPerSecond = facts.linkBytesPerSecond
    }
}

extension PlacementVM {
    init(_ vm: ClusterVMRecord) {
        self.init(
            id: vm.id, name: vm.name.text,
            request: Resources(vcpus: vm.spec.vcpus, memory: vm.spec.memory))
        features = CPUFeatures(vm.features ?? [])
        labels = Set(vm.policy.labels)
        groups = vm.policy.groups.map(\.name)
        pinnedHost = vm.policy.pinnedHost?.text
        mayBeBalanced = vm.policy.mayBeBalanced
        priority = vm.policy.priority
        downtimeLimit = vm.spec.downtimeLimit
    }
}

extension AffinityGroup {
    init(_ group: GroupSpec) {
        let kind: Kind =
            switch group.kind {
            case .affinity: .together
            case .antiAffinity: .apart(perDomainMax: group.perDomainMax ?? 1)
            }
        let scope: Scope =
            switch group.scope ?? .host {
            case .host: .host
            case .rack: .rack
            case .zone: .zone
            }
        self.init(
            name: group.name, kind: kind, scope: scope,
            strength: group.softWeight.map { .soft(weight: $0) } ?? .hard)
    }
}
