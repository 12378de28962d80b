// Lifetime-aware placement: VMs that end together stand together, so that hosts become empty.
//
// In the manner of NILAS (Ling and others, "LAVA: Lifetime-Aware VM Allocation with Learned Distributions and Adaptation
// to Mispredictions", MLSys 2025; before it Barbalho and others, "Virtual Machine Allocation with Lifetime
// Predictions", MLSys 2023). A VM that outlives all others of a host keeps it from becoming empty for the difference:
//
//   outlives = max(0, the VM's expected departure − the host's expected exit)
//   cost     = 0 up to `grace`, 1 up to twice that, 2 up to four times, …
//
// The host with the least cost is chosen, and of those the fullest. The steps double because a prediction is right to a
// factor, not to a minute. Expectations change while VMs run: a host whose VM did not end as expected is not one that
// will soon be empty.

/// What it costs that a VM outlives a host.
enum OutlivingCost {
    /// Seconds that cost nothing.
    static let grace = 3600
    /// What is more than most of a year costs no more.
    static let max = 14

    static func stepsOutlived(departure: Int, exit: Int) -> Int {
        guard departure > exit else { return 0 }
        let steps = (departure - exit - 1) / grace
        return Swift.min(max, Int.bitWidth - steps.leadingZeroBitCount)
    }
}

extension Resources {
    /// Room in steps that add exactly to whole numbers, so that equal scores are equal.
    func roundedRoom(largest: Resources) -> Double {
        (combinedRoom(largest: largest) * 0x1p36).rounded() * 0x1p-36
    }
}

/// The host that the VM outlives least, by what is expected of all VMs; of equals the fullest.
package struct LifetimeAware: PlacementPolicy {
    package let name = "lifetime-aware"
    package let summary = "the host that the VM is expected to outlive least, then the fullest"
    package let choice = HostChoice.inOrder(.leastOutlived)
    package init() {}

    package func placementScore(of vm: VMIndex, on host: HostIndex, in cluster: ClusterState)
        -> Double
    {
        -Double(outlivingCost(of: vm, on: host, in: cluster))
            - freeRoomPenalty(of: host, in: cluster)
    }

    package func scoreTerms(of vm: VMIndex, on host: HostIndex, in cluster: ClusterState)
        -> [ScoreTerm]
    {
        [
            ScoreTerm(
                name: "outlives the host",
                value: -Double(outlivingCost(of: vm, on: host, in: cluster))),
            ScoreTerm(name: "free room", value: -freeRoomPenalty(of: host, in: cluster)),
        ]
    }

    private func outlivingCost(of vm: VMIndex, on host: HostIndex, in cluster: ClusterState) -> Int
    {
        OutlivingCost.stepsOutlived(
            departure: cluster.vmRows[vm].departure, exit: cluster.expectedExit(of: host))
    }

    /// At most a half: never as much as a step of the cost.
    private func freeRoomPenalty(of host: HostIndex, in cluster: ClusterState) -> Double {
        cluster.hostRows[host].free.roundedRoom(largest: cluster.largestLimit) / 4
    }
}
