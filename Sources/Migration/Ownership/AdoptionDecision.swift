// What a starting agent does with a VM that it discovers: the ledger says which host may run the VM, and the agent
// finds its folder and process, if any.
//
//   ledger             on the host                       step
//   owned              a guest that a handover sealed    keep, and resume it
//                      neither folder nor process        keep the entry: the VM was lost here
//                      anything else                     keep as it is
//   released           anything, or nothing              hold, and ask the other host
//   takenOver          as for owned; the other host is owed a notice (`Ownership.notice`)
//   superseded         anything, or nothing              hold permanently
//   incoming           anything, or nothing              write `neverRan`, then end and forget
//   never ran,         anything, or nothing              end and forget
//   handed over,
//   deleted
//   nothing            a guest that runs, may, or did    hold: this is not the ledger that the VM began with
//                      anything else                     end and forget: the VM never began
//
// No decision starts a guest that the ledger does not own, and none ends a guest that may be the only copy.

package import Model

/// What a starting agent finds of a VM besides its ledger record.
package enum DiscoveredState: Hashable, Sendable, CaseIterable {
    /// Neither folder nor process: only the ledger record exists.
    case nothing
    /// Its folder, but no process.
    case folder
    /// A process that still waits for the guest's memory or state.
    case incoming
    case running
    case paused(isSealed: Bool)
    /// A process that does not answer: it may run its guest.
    case silent

    package static let allCases: [DiscoveredState] = [
        .nothing, .folder, .incoming, .running, .paused(isSealed: false), .paused(isSealed: true),
        .silent,
    ]
}

/// What to do with a discovered VM, and the record to write before that.
package struct AdoptionDecision: Hashable, Sendable {
    package enum Step: Hashable, Sendable {
        /// The VM belongs to this host, in the state in which it was found.
        case keep
        /// The VM belongs to this host, and the agent that sealed it is gone: no other agent may resume it.
        case keepAndResume
        /// The VM belongs to this host, and nothing of it is left: the agent reports it as lost.
        case keepAsLost
        /// Paused and sealed permanently: this host must never run it.
        case hold
        /// Paused and sealed until the other host has answered.
        case holdAndResolve(with: HostName)
        /// Its process is ended and its folder removed.
        case endAndForget
    }

    /// Durable before the step. If the write fails, the step is still correct: the ledger still says that the VM does
    /// not run here.
    package let record: LedgerRecord?
    package let step: Step

    package init(vm: VMID, ownership: Ownership?, discovered: DiscoveredState) {
        if case .incoming(let epoch, _, let migration) = ownership {
            record = .neverRan(vm: vm, epoch: epoch, migration: migration)
        } else {
            record = nil
        }
        step =
            switch ownership {
            case .owned, .takenOver: Self.adoptionStep(forOwned: discovered)
            case .superseded: .hold
            case .released(_, let host, _): .holdAndResolve(with: host)
            case .incoming, .neverRan, .handedOver, .deleted: .endAndForget
            case nil: discovered.mayHaveRun ? .hold : .endAndForget
            }
    }

    private static func adoptionStep(forOwned discovered: DiscoveredState) -> Step {
        switch discovered {
        case .nothing: .keepAsLost
        case .paused(isSealed: true): .keepAndResume
        case .folder, .incoming, .running, .paused(isSealed: false), .silent: .keep
        }
    }
}

extension DiscoveredState {
    /// A new guest has a ledger record before it leaves its first, ordinary pause.
    fileprivate var mayHaveRun: Bool {
        switch self {
        case .running, .silent, .paused(isSealed: true): true
        case .nothing, .folder, .incoming, .paused(isSealed: false): false
        }
    }
}
