// The VM that a migration builds at its destination. The agent implements it over an incoming ferry-vmm.

package import Host
package import Model

/// A VM that has no state yet. All calls block; the migration's own threads make them.
package protocol DestinationGuest: AnyObject, Sendable {
    var layout: GuestMemoryLayout { get }
    /// The whole memory file; initially all zero.
    var memory: Mapping { get }
    /// The memory file itself.
    var memoryFile: Descriptor { get }

    /// Loads the state after memory is complete. Afterwards the guest is paused, and it outlives this process.
    func loadDeviceState(from bytes: [UInt8]) throws(GuestError)
    /// Whether the guest still exists, paused, with its state loaded. Checked before the ledger records `owned`.
    func checkIsReady() throws(GuestError)
    /// Called after the ledger has recorded `owned`.
    func resumeExecution() throws(GuestError)
    /// Ends its process; nothing is retained. Not called after `resumeExecution`.
    func discardGuest()
}
