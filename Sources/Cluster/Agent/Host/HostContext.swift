// What every part of an agent needs of its host.

package import ClusterFile
package import Logging
package import Migration
package import Model

/// The host that an agent serves: its identity, its files, its launcher of VMs.
package struct HostContext: Sendable {
    package let member: ClusterFile.Member
    package let cluster: ClusterFile
    package let state: StateFolder
    package let ledger: LedgerFile
    package let launcher: VMLauncher
    package let peers: PeerDirectory
    package let news = ReportSignal()
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
        peers = PeerDirectory(cluster: cluster, path: state.peers, logger: logger)
        self.logger = logger
    }

    package var name: HostName { member.name }

    /// The time limits of this cluster's migrations.
    var timing: PeerTiming {
        var timing = PeerTiming()
        timing.deadPeer = cluster.patience.deadPeer
        timing.deadPeerInHandover = cluster.patience.deadPeerInHandover
        timing.suspensionLimit = cluster.patience.keepBroken
        return timing
    }
}
