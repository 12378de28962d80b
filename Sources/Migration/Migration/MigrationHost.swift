// What a destination host decides and does about incoming VMs. The agent implements it.

package import MigrationProtocol
package import Model
package import Ownership

/// The host behind a `PeerServer`. The server's threads make the calls, several at a time.
package protocol MigrationHost: AnyObject, Sendable {
    /// Checks CPU features, memory, and that name and ID are free; then starts an incoming guest. If it throws, nothing
    /// is retained.
    func prepareGuest(
        for offer: MigrationOffer, from source: HostName
    ) throws(MigrationRefusal) -> any DestinationGuest

    /// An incoming migration that was prepared has ended. Called once for each successful `prepareGuest`, after the
    /// ledger was written and the guest was resumed or discarded.
    func didFinishMigration(
        for offer: MigrationOffer, from source: HostName, outcome: IncomingOutcome)

    /// By a forced takeover the VM belongs to another host. Returns after the VM's copy here was stopped permanently
    /// and `record` was written to the ledger; if it throws, the ledger is unchanged.
    func supersedeOwnership(with record: LedgerRecord) throws(MigrationRefusal)

    /// The connection of an incoming migration was lost. The received memory is retained for this time; at its end or
    /// earlier, `didResumeMigration` or `didFinishMigration` is called.
    func didSuspendMigration(for offer: MigrationOffer, from source: HostName, limit: Duration)

    /// The source has reconnected, with this offer.
    func didResumeMigration(for offer: MigrationOffer, from source: HostName)

    var ledger: any OwnershipLedger { get }
}

/// How an incoming migration ended.
package enum IncomingOutcome: Hashable, Sendable {
    /// The VM runs here.
    case running(Epoch)
    /// The VM is owned here but its process could not be resumed: it is stopped, and this host must repair it.
    case ownedButStopped(Epoch, MigrationRefusal)
    /// Nothing was retained. The reason is from this side or from the peer.
    case discarded(MigrationRefusal)
}
