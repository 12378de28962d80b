// What an operator should know of a VM. It is derived from the VM's parts and never stored.

import FoundationEssentials
import Model

enum VMWarning: Hashable, Sendable {
    /// The connection to the source of an arriving VM is lost, and what arrived is retained.
    case sourceLost(HostName, retainedUntil: Date)
    case ownership(VMOwnership)
    case unreachable(reason: String)
    case notRunning(GuestProcess.ResumeFailure)

    /// The most important warning; nil when there is none.
    init?(arrival: RetainedArrival?, ownership: VMOwnership, guest: GuestProcess) {
        if let arrival {
            self = .sourceLost(arrival.source, retainedUntil: arrival.end)
            return
        }
        switch ownership.condition {
        case .unresolvedHandover, .unrecordedHandover, .superseded, .notInLedger, .lost:
            self = .ownership(ownership)
        case .resolved, .unacknowledgedTakeover:
            if let reason = guest.unreachableReason {
                self = .unreachable(reason: reason)
            } else if let failure = guest.resumeFailure {
                self = .notRunning(failure)
            } else if case .unacknowledgedTakeover = ownership.condition {
                self = .ownership(ownership)
            } else {
                return nil
            }
        }
    }

    /// - Parameter host: this agent's host.
    func warningText(at host: HostName) -> String {
        switch self {
        case .sourceLost(let source, let end):
            "the connection to host \(source) was lost; what arrived is kept until \(end.formatted(.iso8601)), so that the migration can continue"
        case .ownership(let ownership): ownership.conditionWarning(at: host) ?? ""
        case .unreachable(let reason):
            "its process cannot be reached (\(reason)): stop it, then start it again"
        case .notRunning(let failure): failure.text
        }
    }
}

extension VMOwnership {
    fileprivate func conditionWarning(at host: HostName) -> String? {
        switch condition {
        case .resolved: nil
        case .unresolvedHandover(let peer):
            "released to host \(peer) at epoch \(epoch), which has not said whether the VM runs there: the VM runs nowhere until host \(peer) answers; this host keeps asking"
        case .unrecordedHandover(let peer):
            "it runs on host \(peer) at epoch \(epoch), and the ledger of host \(host) cannot be written to say so: the copy here is removed when it can"
        case .unacknowledgedTakeover(let peer):
            "this host took the VM over by force at epoch \(epoch), and host \(peer) has not acknowledged it: host \(peer) may run an older copy until it does; this host keeps notifying it"
        case .superseded(let peer):
            "superseded: host \(peer) owns this VM at epoch \(epoch) after a forced takeover; the copy here stays paused: save it or delete it"
        case .notInLedger:
            "the ledger of host \(host) has no record of this VM, so it may not run here: save it or delete it"
        case .lost:
            "host \(host) owns this VM at epoch \(epoch), and its folder and process are missing: it cannot run again; delete it"
        }
    }
}

extension GuestProcess.ResumeFailure {
    fileprivate var text: String {
        switch self {
        case .afterAgentRestart(let error): error
        case .afterFailedMigration(let error):
            "a migration failed and the VM did not resume (\(error)): resume or stop it"
        case .afterArrival(let error): "it arrived, but did not resume: \(error)"
        case .afterReturn(let error): "this host owns it again, but it did not resume: \(error)"
        case .afterForcedTakeover(let error):
            "this host took it over by force, but it did not resume: \(error)"
        case .memoryLost(let epoch):
            "this host owns it again at epoch \(epoch), but its process had ended and its memory is lost: start boots it again"
        }
    }
}
