// A placement policy: a name, and a score for each host that the filters let through.
//
// OwnPolicies/FewestVMs.swift is the smallest one there is.

/// Which hosts a policy looks at.
package enum HostChoice: Hashable, Sendable {
    /// Every host that the filters let through.
    case all
    /// The first in the order that the filters let through. A promise: no later one has a better score, and equal
    /// scores come in host order.
    case inOrder(HostOrder)
    /// So many hosts, drawn among those that the filters let through. The seed and the VM decide which.
    case drawn(Int, seed: UInt64)
    /// The one that the policy names, and no filter is asked: for repeating what was decided before.
    case dictated
}

/// Chooses among the hosts that the filters let through: the one with the largest score, the first of equals.
package protocol PlacementPolicy: Sendable {
    var name: String { get }
    /// Which host it prefers, in a few words, for lists and reports.
    var summary: String { get }
    var choice: HostChoice { get }
    /// About 1 apart between a good and a bad host: soft affinity adds terms of that size.
    func placementScore(of vm: VMIndex, on host: HostIndex, in cluster: ClusterState) -> Double
    /// The score's parts, for people; they add up to it.
    func scoreTerms(of vm: VMIndex, on host: HostIndex, in cluster: ClusterState) -> [ScoreTerm]
    /// Of a policy whose choice is `dictated`: the host; nil: the VM is refused.
    func dictatedHost(for vm: VMIndex, in cluster: ClusterState) -> HostIndex?
}

extension PlacementPolicy {
    package var summary: String { "the host with the largest score of \(name)" }

    package var choice: HostChoice { .all }

    package func dictatedHost(for vm: VMIndex, in cluster: ClusterState) -> HostIndex? { nil }

    package func scoreTerms(of vm: VMIndex, on host: HostIndex, in cluster: ClusterState)
        -> [ScoreTerm]
    {
        [ScoreTerm(name: name, value: placementScore(of: vm, on: host, in: cluster))]
    }
}

/// One part of a score.
package struct ScoreTerm: Hashable, Sendable {
    package var name: String
    package var value: Double

    package init(name: String, value: Double) {
        self.name = name
        self.value = value
    }
}
