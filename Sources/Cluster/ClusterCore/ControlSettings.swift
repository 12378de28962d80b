// What a controller is configured with.

package import Model

package struct ControlSettings: Hashable, Sendable {
    package var cluster: ClusterName
    /// Between heartbeats.
    package var heartbeat: Duration
    /// What an answered heartbeat grants.
    package var hostLease: Duration
    /// By its name, see `NamedPolicies`.
    package var policy: String
    /// Balance before an operator says otherwise.
    package var balance: BalanceMode
    /// Seeds of policies that draw lots.
    package var seed: UInt64

    package init(
        cluster: ClusterName, heartbeat: Duration = .seconds(5),
        hostLease: Duration = .seconds(20), policy: String = "worst-fit",
        balance: BalanceMode = .advise, seed: UInt64 = 1
    ) {
        self.cluster = cluster
        self.heartbeat = heartbeat
        self.hostLease = hostLease
        self.policy = policy
        self.balance = balance
        self.seed = seed
    }

    /// A host that said nothing for so long is unreachable.
    package var silentAfter: Duration { heartbeat * Limits.heartbeatsMissedMax }

    /// Beyond a lease's end by this clock it has ended by the host's, too: for clocks that run a little apart, and for a
    /// process that takes its time to stop.
    package func fenceAfter(lease: Duration) -> Duration {
        lease + lease / Limits.clockDriftDivisor + Limits.fenceMargin
    }
}
