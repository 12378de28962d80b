// What a destination host decides and does when VMs arrive. The agent implements it.

package import MigrationProtocol
package import Model
package import Ownership

/// The host behind a `PeerServer`. Calls come from the server's threads, several at a time.
package protocol MigrationHost: AnyObject, Sendable {
    /// Checks CPU features, space for the memory, that name and id are free; starts an incoming guest.
    /// Throws with nothing kept.
    func prepareGuest(
        for offer: MigrationOffer, from source: HostName
    ) throws(MigrationRefusal) -> any DestinationGuest

    /// An incoming migration that was prepared has ended. Called once for each successful `prepare`,
    /// after the ledger was written and the guest was resumed or discarded.
    func didFinishMigration(
        for offer: MigrationOffer, from source: HostName, outcome: IncomingOutcome)

    /// By a ruling the VM is another host's. Returns with what there is of it here standing still for good, and
    /// then `record` in the ledger; throws with the ledger as it was.
    func supersedeOwnership(with record: LedgerRecord) throws(MigrationRefusal)

    /// The connection of an incoming migration was lost. What arrived is kept for so long; then, or before,
    /// `unparked` or `finished` comes.
    func didSuspendMigration(for offer: MigrationOffer, from source: HostName, limit: Duration)

    /// The source has come back, with this offer.
    func didResumeMigration(for offer: MigrationOffer, from source: HostName)

    var ledger: any OwnershipLedger { get }
}

/// How an incoming migration ended.
package enum IncomingOutcome: Hashable, Sendable {
    /// The VM runs here.
    case running(Epoch)
    /// The VM is owned here but its process would not resume: stopped, and this host's to repair.
    case ownedButStopped(Epoch, MigrationRefusal)
    /// Nothing was kept. The reason is this side's, or the peer's words.
    case discarded(MigrationRefusal)
}
