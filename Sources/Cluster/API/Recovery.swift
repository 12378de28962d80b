// What a host's ledger and its processes say of a VM, and what an operator may do when two hosts cannot agree who owns it.

package import Model

/// The last word of a host's ledger about a VM.
package struct LedgerStanding: Hashable, Sendable, Codable {
    package enum Kind: String, Hashable, Sendable, Codable, CaseIterable {
        case owned, released
        case takenOver = "ruled"
        case superseded = "overruled"
        case incoming, deleted
        case handedOver = "handed_over"
        case neverRan = "never_ran"
        /// The ledger does not know the VM.
        case unknown
    }

    package var kind: Kind
    /// 0 when the ledger does not know the VM.
    package var epoch: UInt64
    /// The other host: released or handed over to it, arriving from it, taken over from it, superseded by it.
    package var peer: HostName?
    package var migration: MigrationID?

    package init(
        _ kind: Kind, epoch: UInt64 = 0, peer: HostName? = nil, migration: MigrationID? = nil
    ) {
        self.kind = kind
        self.epoch = epoch
        self.peer = peer
        self.migration = migration
    }

    /// The host may run the VM.
    package var mayRun: Bool { kind == .owned || kind == .takenOver }

    /// "released to host-b at epoch 2"
    package var words: String {
        let other = peer.map(\.text) ?? "?"
        return switch kind {
        case .owned: "owned at epoch \(epoch)"
        case .released: "released to \(other) at epoch \(epoch), which has not said whether it runs"
        case .handedOver: "handed over to \(other) at epoch \(epoch)"
        case .takenOver: "owned at epoch \(epoch) by a ruling that \(other) has not heard of"
        case .superseded: "overruled by \(other) at epoch \(epoch): it never runs here before that"
        case .incoming: "arriving from \(other) for epoch \(epoch)"
        case .neverRan: "never ran here at epoch \(epoch), and never will"
        case .deleted: "deleted at epoch \(epoch)"
        case .unknown: "not known"
        }
    }
}

/// What an operator may decide about a VM whose two hosts cannot agree who owns it.
package enum RecoveryAction: String, Hashable, Sendable, Codable, CaseIterable {
    /// Forced takeover: this host takes back the VM that it released, although the other host has not answered.
    case takeOver = "run_here"
    /// The other host never comes back: the notice of the forced takeover is no longer sent to it.
    case forgetPeer = "forget_peer"
    /// The VM that waits here for its fate never ran here, and never will.
    case giveUp = "give_up"
}

/// A recovery action that this host would carry out now.
package struct RecoveryOption: Hashable, Sendable, Codable {
    package var action: RecoveryAction
    package var effect: String
    /// What it may cost; nil when it is safe. What is not safe must be confirmed with the VM's name.
    package var risk: String?

    private enum CodingKeys: String, CodingKey {
        case action = "ruling"
        case effect, risk
    }

    package init(_ action: RecoveryAction, effect: String, risk: String? = nil) {
        self.action = action
        self.effect = effect
        self.risk = risk
    }
}

/// One host's part of the picture.
package struct RecoveryInfo: Hashable, Sendable, Codable {
    package var host: HostName
    package var vmID: VMID
    /// Nil when nothing but the ledger knows it here.
    package var name: VMName?
    package var ledger: LedgerStanding
    /// Nil when nothing of it is here.
    package var state: VMState?
    package var processID: Int32?
    /// What the agent does about it by itself, and how that goes; nil when there is nothing to do.
    package var now: String?
    package var options: [RecoveryOption]

    package init(
        host: HostName, vmID: VMID, name: VMName?, ledger: LedgerStanding, state: VMState?,
        processID: Int32?, now: String?, options: [RecoveryOption]
    ) {
        self.host = host
        self.vmID = vmID
        self.name = name
        self.ledger = ledger
        self.state = state
        self.processID = processID
        self.now = now
        self.options = options
    }
}

/// A request for a recovery action.
package struct RecoverVM: Hashable, Sendable, Codable {
    package var action: RecoveryAction
    /// The epoch that the ledger said when the decision was made: it must still say that.
    package var epoch: UInt64
    /// The VM's name, where the action is not safe.
    package var confirm: VMName?

    private enum CodingKeys: String, CodingKey {
        case action = "ruling"
        case epoch, confirm
    }

    package init(action: RecoveryAction, epoch: UInt64, confirm: VMName? = nil) {
        self.action = action
        self.epoch = epoch
        self.confirm = confirm
    }
}
