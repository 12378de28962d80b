// What an agent that starts does about a VM: the ledger says who may run it, the host shows what is left of it.
//
//   ledger             on the host                       step
//   owned              a guest that a handover sealed    keep, and let it run on
//                      neither folder nor process        keep what there is: a VM that was lost here
//                      anything else                     keep as it is
//   released           anything, or nothing              hold still, and ask the other host
//   takenOver          as for owned; the other host is owed a notice (`Ownership.notice`)
//   superseded         anything, or nothing              hold still permanently
//   incoming           anything, or nothing              write `neverRan`, then end and forget
//   never ran,         anything, or nothing              end and forget
//   handed over,
//   deleted
//   nothing            a guest that runs, may, or did    hold still: this ledger is not the one it began with
//                      anything else                     end and forget: it never began
//
// No guest comes to run by this that the ledger does not own, and none is ended that may be the only copy.

package import Model

/// What a starting agent finds of a VM besides its ledger.
package enum VMRemains: Hashable, Sendable, CaseIterable {
    /// Neither folder nor process: what the ledger says is all there is.
    case nothing
    /// Its folder, and no process.
    case folder
    /// A process that still waits for the guest's memory or state.
    case incoming
    case running
    case paused(isSealed: Bool)
    /// A process that cannot be asked: it may run its guest.
    case silent

    package static let allCases: [VMRemains] = [
        .nothing, .folder, .incoming, .running, .paused(isSealed: false), .paused(isSealed: true),
        .silent,
    ]
}

/// What to do about a VM that was found, and what to write down before that.
package struct Adoption: Hashable, Sendable {
    package enum Step: Hashable, Sendable {
        /// The VM is this host's, as it was found.
        case keep
        /// Nobody else may resume it: whoever sealed it is gone.
        case keepAndResume
        /// The VM is this host's, and there is nothing of it: people must be told.
        case keepAsLost
        /// Paused and sealed for good: nothing lets this host run it.
        case hold
        /// Paused and sealed until this host has answered.
        case holdAndSettle(with: HostName)
        /// Its process ends, its folder goes.
        case endAndForget
    }

    /// Durable before the step. When it cannot be written, the step is right all the same: the ledger goes on
    /// to say that the VM does not run here.
    package let record: LedgerRecord?
    package let step: Step

    package init(of vm: VMID, _ ownership: Ownership?, _ remains: VMRemains) {
        if case .incoming(let epoch, _, let migration) = ownership {
            record = .neverRan(vm: vm, epoch: epoch, migration: migration)
        } else {
            record = nil
        }
        step =
            switch ownership {
            case .owned, .takenOver: Self.keeping(remains)
            case .superseded: .hold
            case .released(_, let host, _): .holdAndSettle(with: host)
            case .incoming, .neverRan, .handedOver, .deleted: .endAndForget
            case nil: remains.mayHaveRun ? .hold : .endAndForget
            }
    }

    private static func keeping(_ remains: VMRemains) -> Step {
        switch remains {
        case .nothing: .keepAsLost
        case .paused(isSealed: true): .keepAndResume
        case .folder, .incoming, .running, .paused(isSealed: false), .silent: .keep
        }
    }
}

extension VMRemains {
    /// A new guest is written down before it leaves its first, ordinary pause.
    fileprivate var mayHaveRun: Bool {
        switch self {
        case .running, .silent, .paused(isSealed: true): true
        case .nothing, .folder, .incoming, .paused(isSealed: false): false
        }
    }
}
