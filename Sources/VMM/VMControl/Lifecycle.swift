// What a guest is doing, and who may make it do something else.
//
//                 loadState           resume
//   incoming ───────────────▶ paused ◀──────▶ running ──▶ stopped | failed
//                               │     pause
//                               └─ handover: none | open(owner) | sealed
//
// A pause for a handover belongs to the connection that asked for it. Until `seal` the guest is the source's
// without question: if the owner goes away, it resumes by itself. After `seal` the ledger may say that the
// guest was released: nobody but a request resumes it, however long that takes.

package import Model

/// Says which connection asked.
package struct ConnectionID: Hashable, Sendable {
    package let number: UInt64
    package init(_ number: UInt64) { self.number = number }
}

package struct Lifecycle: Hashable, Sendable {
    package enum Handover: Hashable, Sendable {
        case none
        /// `resumes`: the guest ran before the pause, so a lost owner lets it run again.
        case open(owner: ConnectionID, resumes: Bool)
        case sealed
    }

    package private(set) var state: VMState
    package private(set) var handover = Handover.none
    package private(set) var exit: VMExit?

    package init(state: VMState) { self.state = state }

    package var isSealed: Bool { handover == .sealed }
    package var hasEnded: Bool { exit != nil }

    package mutating func markPaused(for owner: ConnectionID?) {
        // A seal stays until a request to resume: a pause on top of it changes nothing.
        if handover == .sealed { return }
        let wasRunning = state == .running
        state = .paused
        handover = owner.map { .open(owner: $0, resumes: wasRunning) } ?? .none
    }

    /// False when this connection has no handover to seal.
    package mutating func sealHandover(by owner: ConnectionID) -> Bool {
        guard case .open(owner, _) = handover else { return false }
        handover = .sealed
        return true
    }

    package mutating func markRunning() {
        state = .running
        handover = .none
    }

    /// A state arrived: the guest is whole, and runs only when told to.
    package mutating func markLoaded() {
        state = .paused
        handover = .sealed
    }

    /// A state was read from a file: an ordinary paused guest.
    package mutating func markRestored() { state = .paused }

    /// True when the guest has to resume, because its handover's owner is gone.
    package mutating func endHandover(ownedBy connection: ConnectionID) -> Bool {
        guard case .open(connection, let resumes) = handover else { return false }
        handover = .none
        return resumes
    }

    package mutating func markEnded(with exit: VMExit) {
        guard self.exit == nil else { return }
        self.exit = exit
        handover = .none
        switch exit.reason {
        case .powerOff, .stopped, .migrated: state = .stopped
        case .tripleFault, .emulationFailure, .hostFailure, .processDied, .leaseExpired:
            state = .failed
        }
    }
}
