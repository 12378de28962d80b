// The VM that is being built from what arrives. The agent implements it over an incoming ferry-vmm.

package import Host
package import Model

/// A VM without life yet. All calls block; they are made on the migration's own threads.
package protocol DestinationGuest: AnyObject, Sendable {
    var layout: GuestMemoryLayout { get }
    /// The whole memory file, all zero at first.
    var memory: Mapping { get }
    /// The memory file itself.
    var memoryFile: Descriptor { get }

    /// Memory is complete. Afterwards the guest is paused, and outlives this process.
    func loadDeviceState(from bytes: [UInt8]) throws(GuestError)
    /// Still there, paused, with its state loaded? Asked before the ledger says `owned`.
    func checkIsReady() throws(GuestError)
    /// Called once the ledger says `owned`.
    func resumeExecution() throws(GuestError)
    /// Ends its process; nothing is kept. Not called after `resume` was.
    func discardGuest()
}
