// What the ledgers of the two hosts concerned say of a VM, as its owner on this host knows it.
//
// The ledger decides whether a VM may run; this value only keeps what its owner reports and refuses by.

import Model

struct VMOwnership: Hashable, Sendable {
    enum Condition: Hashable, Sendable {
        /// The ledger says whether this host may run the VM, and no other host has to confirm it.
        case resolved
        /// Released to another host that has not said whether it runs the VM: nothing may run it here.
        case unresolvedHandover(to: HostName)
        /// The other host runs it, and this host's ledger could not be written.
        case unrecordedHandover(to: HostName)
        /// This host took the VM over by force, and the other host has not acknowledged that.
        case unacknowledgedTakeover(from: HostName)
        /// Another host took the VM over by force: the copy here must not run.
        case superseded(by: HostName)
        /// The ledger has no record of the VM.
        case notInLedger
        /// This host owns the VM, and neither its folder nor its process exists.
        case lost
    }

    private(set) var epoch: Epoch
    private(set) var condition = Condition.resolved

    init(epoch: Epoch) { self.epoch = epoch }

    mutating func changeCondition(to condition: Condition, at epoch: Epoch) {
        self.condition = condition
        self.epoch = epoch
    }

    mutating func changeCondition(to condition: Condition) { self.condition = condition }

    /// The ledger has the VM at this epoch; the condition stays.
    mutating func updateEpoch(to epoch: Epoch) { self.epoch = epoch }

    /// The handover has an outcome that this host's ledger does not have yet.
    var isUnresolved: Bool {
        switch condition {
        case .unresolvedHandover, .unrecordedHandover: true
        case .resolved, .unacknowledgedTakeover, .superseded, .notInLedger, .lost: false
        }
    }
}
