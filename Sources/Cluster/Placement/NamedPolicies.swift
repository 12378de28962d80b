// The policies that ask for nothing but the cluster, by name: the controller's and the simulator's one catalogue.

/// The first host in the list with room.
package struct FirstFit: PlacementPolicy {
    package let name = "first-fit"
    package let summary = "the first host in the list with room"
    package let choice = HostChoice.inOrder(.listed)
    package init() {}

    package func score(_ vm: VMIndex, on host: HostIndex, in cluster: ClusterState) -> Double {
        -Double(host) / Double(cluster.hosts.count)
    }

    package func terms(_ vm: VMIndex, on host: HostIndex, in cluster: ClusterState) -> [ScoreTerm] {
        [ScoreTerm("place in the list", score(vm, on: host, in: cluster))]
    }
}

/// The fullest host with room: keeps large rooms for large VMs.
package struct BestFit: PlacementPolicy {
    package let name = "best-fit"
    package let summary = "the fullest host with room, by what is promised"
    package let choice = HostChoice.inOrder(.leastFree)
    package init() {}

    package func score(_ vm: VMIndex, on host: HostIndex, in cluster: ClusterState) -> Double {
        -cluster.hostRows[host].freeRoom(largest: cluster.largestLimit)
    }

    package func terms(_ vm: VMIndex, on host: HostIndex, in cluster: ClusterState) -> [ScoreTerm] {
        let free = cluster.freeInUnits(of: host)
        return [ScoreTerm("free vCPUs", -free.cpu), ScoreTerm("free memory", -free.memory)]
    }
}

/// The emptiest host: spreads what is promised.
package struct WorstFit: PlacementPolicy {
    package let name = "worst-fit"
    package let summary = "the emptiest host, by what is promised"
    package let choice = HostChoice.inOrder(.mostFree)
    package init() {}

    package func score(_ vm: VMIndex, on host: HostIndex, in cluster: ClusterState) -> Double {
        cluster.hostRows[host].freeRoom(largest: cluster.largestLimit)
    }

    package func terms(_ vm: VMIndex, on host: HostIndex, in cluster: ClusterState) -> [ScoreTerm] {
        let free = cluster.freeInUnits(of: host)
        return [ScoreTerm("free vCPUs", free.cpu), ScoreTerm("free memory", free.memory)]
    }
}

/// The host whose free room points where the VM's needs point (vector packing: Panigrahy and others 2011).
package struct DotProduct: PlacementPolicy {
    package let name = "dot-product"
    package let summary = "the host whose free room has the shape of what the VM asks for"
    package let choice = HostChoice.inOrder(.aligned)
    package init() {}

    package func score(_ vm: VMIndex, on host: HostIndex, in cluster: ClusterState) -> Double {
        let largest = cluster.largestLimit
        let need = cluster.vmRows[vm].request.units(of: largest)
        return need.dotProduct(with: cluster.hostRows[host].free.units(of: largest))
    }

    package func terms(_ vm: VMIndex, on host: HostIndex, in cluster: ClusterState) -> [ScoreTerm] {
        let (need, free) = (cluster.requestInUnits(of: vm), cluster.freeInUnits(of: host))
        return [
            ScoreTerm("vCPUs asked × free", need.cpu * free.cpu),
            ScoreTerm("memory asked × free", need.memory * free.memory),
        ]
    }
}

/// The emptier of two hosts drawn by lot: nearly as even as the emptiest of all, and many schedulers at once do not
/// all run to one host (Mitzenmacher 2001).
package struct PowerOfTwoChoices: PlacementPolicy {
    package let name = "two-choices"
    package let summary = "the emptier of two hosts drawn by lot"
    package let seed: UInt64
    package init(seed: UInt64) { self.seed = seed }

    package var choice: HostChoice { .drawn(2, seed: seed) }

    package func score(_ vm: VMIndex, on host: HostIndex, in cluster: ClusterState) -> Double {
        cluster.hostRows[host].freeRoom(largest: cluster.largestLimit)
    }

    package func terms(_ vm: VMIndex, on host: HostIndex, in cluster: ClusterState) -> [ScoreTerm] {
        WorstFit().terms(vm, on: host, in: cluster)
    }
}

/// The host that does the least, by measured use.
package struct LeastLoaded: PlacementPolicy {
    package let name = "least-loaded"
    package let summary = "the host that does the least, by measured use"
    package let choice = HostChoice.inOrder(.leastLoaded)
    package init() {}

    package func score(_ vm: VMIndex, on host: HostIndex, in cluster: ClusterState) -> Double {
        -cluster.hostRows[host].loadMax
    }

    package func terms(_ vm: VMIndex, on host: HostIndex, in cluster: ClusterState) -> [ScoreTerm] {
        let share = cluster.loadShare(of: host)
        return share.cpu >= share.memory
            ? [ScoreTerm("cores in use", -share.cpu)]
            : [ScoreTerm("memory in use", -share.memory)]
    }
}

/// The policies by the names that configurations and commands use.
package enum NamedPolicies {
    /// - Parameter seed: for policies that draw lots.
    package static func all(seed: UInt64) -> [any PlacementPolicy] {
        [
            FirstFit(), BestFit(), WorstFit(), DotProduct(), PowerOfTwoChoices(seed: seed),
            LeastLoaded(),
        ] + OwnPolicies.all(seed: seed)
    }

    package static var names: [String] { all(seed: 0).map(\.name) }

    package static func policy(named name: String, seed: UInt64) -> (any PlacementPolicy)? {
        all(seed: seed).first { $0.name == name }
    }
}
