// A Ganeti cluster as the scheduler's state, and Ganeti's score of it.
//
// The score as `hbal --ignore-dynu` computes it has, on a cluster with shared storage, three terms that are not zero:
//
//   sd(free memory / memory) + sd(vCPUs / cores) + sd(free disk / disk)     each weighted 1 (0.5, and 0.5 for the
//                                                                           same with forthcoming instances)
//
// over nodes that are online, vCPUs with the node's own. Moves change the first two. The disk term is part of the
// figure all the same. Spindles in use count where instances have disks on their node; such instances do not move
// here. Not counted: what hbal adds for N+1 failures of mirrored instances and for instances on offline nodes.

import Model
package import Placement

extension GanetiCluster {
    /// Nodes are hosts and instances VMs, both in their order; offline nodes are in maintenance.
    package func clusterState() throws(ClusterStateError) -> ClusterState {
        var state = ClusterState()
        let taken = memoryTakenByInstances()
        for (index, node) in nodes.enumerated() {
            try state.registerHost(placementHost(for: node, memoryTakenMiB: taken[index]))
        }
        for tag in exclusionTags() {
            try state.registerGroup(AffinityGroup(name: tag, kind: .apart()))
        }
        for (number, instance) in instances.enumerated() where !instance.isOffline {
            let vm = try state.registerVM(placementVM(for: instance, number: number))
            state.assignVM(vm, to: instance.primary)
        }
        return state
    }

    /// Ganeti's score of that state, for balance.
    package func balanceScore(of state: ClusterState) -> LoadSpread {
        let taken = memoryTakenByInstances()
        let fixed = nodes.enumerated().map { index, node in
            Resources(
                milliCPUs: node.ownCPUs * 1000,
                memoryBytes: (node.memoryMiB - node.freeMemoryMiB - taken[index]) << 20)
        }
        return LoadSpread(
            of: state, measuring: .requested(fixed: fixed), cpuWeight: 1, memoryWeight: 1,
            constant: diskScoreTerm() + spindleScoreTerm()
        ) { !nodes[$0].isOffline }
    }

    private func placementHost(for node: Node, memoryTakenMiB takenMiB: Int) -> PlacementHost {
        var host = PlacementHost(
            name: node.name,
            capacity: Resources(
                milliCPUs: Int(Double(node.cores * 1000) * node.cpuSpeed),
                memoryBytes: node.memoryMiB << 20))
        host.state = node.isOffline ? .maintenance : .active
        host.reservedMemoryBytes = max(0, node.memoryMiB - node.freeMemoryMiB - takenMiB) << 20
        host.cpuOvercommit = instancePolicy(ofGroup: node.group).vcpuRatio / node.cpuSpeed
        host.labels = ["group=\(groups[node.group].name)"]
        return host
    }

    private func placementVM(for instance: Instance, number: Int) -> PlacementVM {
        var vm = PlacementVM(
            id: VMID(high: 0, low: UInt64(number)), name: instance.name,
            request: Resources(
                milliCPUs: instance.vcpus * 1000, memoryBytes: instance.memoryMiB << 20))
        vm.mayBeBalanced = instance.usesSharedStorage
        vm.pinnedHost = instance.usesSharedStorage ? nil : nodes[instance.primary].name
        vm.labels = ["group=\(groups[nodes[instance.primary].group].name)"]
        vm.groups = excludedTags(of: instance, prefixes: exclusionPrefixes())
        return vm
    }

    private func memoryTakenByInstances() -> [Int] {
        var taken = [Int](repeating: 0, count: nodes.count)
        for instance in instances where !instance.isOffline {
            taken[instance.primary] += instance.memoryMiB
        }
        return taken
    }

    /// "htools:iextags:service" keeps instances with the same tag "service:..." apart.
    private func exclusionPrefixes() -> [String] {
        let marker = "htools:iextags:"
        return tags.filter { $0.hasPrefix(marker) }.map { String($0.dropFirst(marker.count)) + ":" }
    }

    private func excludedTags(of instance: Instance, prefixes: [String]) -> [String] {
        instance.tags.filter { tag in prefixes.contains { tag.hasPrefix($0) } }
    }

    private func exclusionTags() -> [String] {
        let prefixes = exclusionPrefixes()
        return Set(instances.flatMap { excludedTags(of: $0, prefixes: prefixes) }).sorted()
    }

    private func diskScoreTerm() -> Double {
        Self.standardDeviation(
            of: nodes.filter { !$0.isOffline }.map {
                $0.diskMiB == 0 ? 1 : Double($0.freeDiskMiB) / Double($0.diskMiB)
            })
    }

    private func spindleScoreTerm() -> Double {
        var used = [Double](repeating: 0, count: nodes.count)
        for instance in instances
        where !instance.usesSharedStorage && instance.diskTemplate != "diskless" {
            for node in [instance.primary, instance.secondary].compactMap({ $0 }) {
                used[node] += Double(instance.spindleUse)
            }
        }
        let shares = nodes.indices.filter { !nodes[$0].isOffline && nodes[$0].spindles > 0 }.map {
            used[$0]
                / (Double(nodes[$0].spindles)
                    * instancePolicy(ofGroup: nodes[$0].group).spindleRatio)
        }
        return Self.standardDeviation(of: shares)
    }

    private static func standardDeviation(of values: [Double]) -> Double {
        guard !values.isEmpty else { return 0 }
        let mean = values.reduce(0, +) / Double(values.count)
        let squares = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
        return (squares / Double(values.count)).squareRoot()
    }
}
