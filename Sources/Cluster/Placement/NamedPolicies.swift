// The policies that ask for nothing but the cluster, by name: the controller's and the simulator's one catalogue.

/// The first host in the list with room.
package struct FirstFit: PlacementPolicy {
    package let name = "first-fit"
    package let summary = "the first host in the list with room"
    package let choice = HostChoice.inOrder(.listed)
    package init() {}

    package func placementScore(of vm: VMIndex, on host: HostIndex, in cluster: ClusterState)
        -> Double
    {
        -Double(host) / Double(cluster.hosts.count)
    }

    package func scoreTerms(of vm: VMIndex, on host: HostIndex, in cluster: ClusterState)
        -> [ScoreTerm]
    {
        [ScoreTerm(name: "place in the list", value: placementScore(of: vm, on: host, in: cluster))]
    }
}

/// The fullest host with room: keeps large rooms for large VMs.
package struct BestFit: PlacementPolicy {
    package let name = "best-fit"
    package let summary = "the fullest host with room, by what is promised"
    package let choice = HostChoice.inOrder(.leastFree)
    package init() {}

    package func placementScore(of vm: VMIndex, on host: HostIndex, in cluster: ClusterState)
        -> Double
    {
        -cluster.hostRows[host].combinedFreeRoom(largest: cluster.largestLimit)
    }

    package func scoreTerms(of vm: VMIndex, on host: HostIndex, in cluster: ClusterState)
        -> [ScoreTerm]
    {
        let free = cluster.freeInUnits(of: host)
        return [
            ScoreTerm(name: "free vCPUs", value: -free.cpu),
            ScoreTerm(name: "free memory", value: -free.memory),
        ]
    }
}

/// The emptiest host: spreads what is promised.
package struct WorstFit: PlacementPolicy {
    package let name = "worst-fit"
    package let summary = "the emptiest host, by what is promised"
    package let choice = HostChoice.inOrder(.mostFree)
    package init() {}

    package func placementScore(of vm: VMIndex, on host: HostIndex, in cluster: ClusterState)
        -> Double
    {
        cluster.hostRows[host].combinedFreeRoom(largest: cluster.largestLimit)
    }

    package func scoreTerms(of vm: VMIndex, on host: HostIndex, in cluster: ClusterState)
        -> [ScoreTerm]
    {
        let free = cluster.freeInUnits(of: host)
        return [
            ScoreTerm(name: "free vCPUs", value: free.cpu),
            ScoreTerm(name: "free memory", value: free.memory),
        ]
    }
}

/// The host whose free room points where the VM's needs point (vector packing: Panigrahy and others 2011).
package struct DotProduct: PlacementPolicy {
    package let name = "dot-product"
    package let summary = "the host whose free room has the shape of what the VM asks for"
    package let choice = HostChoice.inOrder(.aligned)
    package init() {}

    package func placementScore(of vm: VMIndex, on host: HostIndex, in cluster: ClusterState)
        -> Double
    {
        let largest = cluster.largestLimit
        let need = cluster.vmRows[vm].request.normalised(to: largest)
        return need.dotProduct(with: cluster.hostRows[host].free.normalised(to: largest))
    }

    package func scoreTerms(of vm: VMIndex, on host: HostIndex, in cluster: ClusterState)
        -> [ScoreTerm]
    {
        let (need, free) = (cluster.requestInUnits(of: vm), cluster.freeInUnits(of: host))
        return [
            ScoreTerm(name: "vCPUs asked × free", value: need.cpu * free.cpu),
            ScoreTerm(name: "memory asked × free", value: need.memory * free.memory),
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

    package func placementScore(of vm: VMIndex, on host: HostIndex, in cluster: ClusterState)
        -> Double
    {
        cluster.hostRows[host].combinedFreeRoom(largest: cluster.largestLimit)
    }

    package func scoreTerms(of vm: VMIndex, on host: HostIndex, in cluster: ClusterState)
        -> [ScoreTerm]
    {
        WorstFit().scoreTerms(of: vm, on: host, in: cluster)
    }
}

/// The host that does the least, by measured use.
package struct LeastLoaded: PlacementPolicy {
    package let name = "least-loaded"
    package let summary = "the host that does the least, by measured use"
    package let choice = HostChoice.inOrder(.leastLoaded)
    package init() {}

    package func placementScore(of vm: VMIndex, on host: HostIndex, in cluster: ClusterState)
        -> Double
    {
        -cluster.hostRows[host].loadMax
    }

    package func scoreTerms(of vm: VMIndex, on host: HostIndex, in cluster: ClusterState)
        -> [ScoreTerm]
    {
        let share = cluster.loadShare(of: host)
        return share.cpu >= share.memory
            ? [ScoreTerm(name: "cores in use", value: -share.cpu)]
            : [ScoreTerm(name: "memory in use", value: -share.memory)]
    }
}

/// The policies by the names that configurations and commands use.
package enum NamedPolicies {
    /// - Parameter seed: for policies that draw lots.
    package static func allPolicies(seed: UInt64) -> [any PlacementPolicy] {
        [
            FirstFit(), BestFit(), WorstFit(), DotProduct(), PowerOfTwoChoices(seed: seed),
            LeastLoaded(),
        ] + OwnPolicies.allPolicies(seed: seed)
    }

    package static var names: [String] { allPolicies(seed: 0).map(\.name) }

    package static func placementPolicy(named name: String, seed: UInt64) -> (any PlacementPolicy)?
    {
        allPolicies(seed: seed).first { $0.name == name }
    }
}
