// What every part of an agent knows of its host.

package import ClusterFile
package import Logging
package import Migration
package import Model

/// The host that an agent serves: who it is, where its things are, how VMs are started.
package struct HostContext: Sendable {
    package let member: ClusterFile.Member
    package let cluster: ClusterFile
    package let state: StateFolder
    package let ledger: LedgerFile
    package let launcher: VMLauncher
    package let peers: PeerBook
    package let news = ReportNews()
    package let lease = HostLease()
    package let logger: Logger

    package init(
        member: ClusterFile.Member, cluster: ClusterFile, state: StateFolder,
        ledger: LedgerFile, launcher: VMLauncher, logger: Logger
    ) {
        self.member = member
        self.cluster = cluster
        self.state = state
        self.ledger = ledger
        self.launcher = launcher
        peers = PeerBook(cluster: cluster, path: state.peers, logger: logger)
        self.logger = logger
    }

    package var name: HostName { member.name }

    /// How long this cluster's migrations wait.
    var timing: PeerTiming {
        var timing = PeerTiming()
        timing.deadPeer = cluster.patience.deadPeer
        timing.deadPeerInHandover = cluster.patience.deadPeerInHandover
        timing.keepBroken = cluster.patience.keepBroken
        return timing
    }
}
