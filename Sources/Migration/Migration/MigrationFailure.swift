// How a migration failed, as its source reports it: the phase, the reason, and where the VM is now.

package import MigrationProtocol
package import Model
import Ownership
package import PeerLink
package import Wire

/// A migration that did not end at the destination.
package struct MigrationFailure: Error, Hashable, Sendable, CustomStringConvertible {
    package enum Reason: Hashable, Sendable {
        /// The connection could not be opened, or broke.
        case link(LinkError)
        /// The destination refused, with this reason.
        case refused(MigrationRefusal)
        case cancelled
        case doesNotConverge(ConvergenceFacts)
        /// Source and destination computed different digests.
        case memoryDiffers(source: String, destination: String)
        case guest(GuestError)
        case ledger(LedgerError)
        /// The destination sent a message that cannot be decoded.
        case malformed(WireError)
        /// The destination sent a message that is not expected in this state.
        case unexpectedMessage(String)
        /// After GO, the destination did not answer, and it is not known whether it runs the VM.
        case noAnswer(LinkError?)
        /// After GO, the destination confirmed that the VM never ran there.
        case neverRan
    }

    package enum Aftermath: Hashable, Sendable {
        /// Running at the source, in this epoch, at full speed.
        case runsAtSource(Epoch)
        /// Owned by the source, but its process could not be resumed.
        case stoppedAtSource(Epoch, GuestError)
        /// Released to the destination at this epoch; neither host runs it until the two agents have talked
        /// (`HandoverResolution`).
        case unresolved(Epoch, with: HostName)
    }

    package var phase: MigrationPhase
    package var reason: Reason
    package var aftermath: Aftermath

    package init(phase: MigrationPhase, reason: Reason, aftermath: Aftermath) {
        self.phase = phase
        self.reason = reason
        self.aftermath = aftermath
    }

    package var description: String { "\(phase.rawValue): \(reason); \(aftermath)" }
}

extension MigrationFailure.Reason: CustomStringConvertible {
    package var description: String {
        switch self {
        case .link(let error): "\(error)"
        case .refused(let refusal): "the destination refused: \(refusal)"
        case .cancelled: "cancelled"
        case .doesNotConverge(let facts): "the migration does not converge: \(facts)"
        case .memoryDiffers(let source, let destination):
            "the memory digests differ: \(source) at the source, \(destination) at the destination"
        case .guest(let error): "the guest's process failed: \(error)"
        case .ledger(let error): "\(error)"
        case .malformed(let error):
            "the destination sent a message that cannot be decoded: \(error)"
        case .unexpectedMessage(let text):
            "the destination sent \(text), which is not expected in this state"
        case .noAnswer(let error):
            "the destination did not answer after the handover\(error.map { ": \($0)" } ?? "")"
        case .neverRan: "the destination did not start the VM"
        }
    }
}

extension MigrationFailure.Aftermath: CustomStringConvertible {
    package var description: String {
        switch self {
        case .runsAtSource: "the VM runs at the source"
        case .stoppedAtSource(_, let error):
            "the VM is at the source, but could not be resumed: \(error)"
        case .unresolved(let epoch, let host):
            "the VM was released to \(host) at epoch \(epoch) and runs nowhere until \(host) has answered"
        }
    }
}
