// The host with the fewest VMs, whatever their size, as Incus places instances when it is told nothing else. Also the
// example of a policy of one's own: this file, and its line in OwnPolicies.swift.

struct FewestVMs: PlacementPolicy {
    /// What configurations and commands call it.
    let name = "fewest-vms"
    let summary = "the host with the fewest VMs, whatever their size"

    /// The larger, the better; of equals the first host wins. Hosts that refuse the VM are not asked about.
    func placementScore(of vm: VMIndex, on host: HostIndex, in cluster: ClusterState) -> Double {
        -Double(cluster.hostedVMCount(on: host)) / 100
    }

    /// The score's parts, for `ferry place --explain`. They add up to it; without this the score stands alone.
    func scoreTerms(of vm: VMIndex, on host: HostIndex, in cluster: ClusterState) -> [ScoreTerm] {
        [ScoreTerm(name: "VMs, in hundreds", value: placementScore(of: vm, on: host, in: cluster))]
    }
}
