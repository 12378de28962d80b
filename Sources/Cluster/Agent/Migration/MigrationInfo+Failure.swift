// How the API reports the end of a migration: typed reasons become stable codes, with the facts beside them.

package import API
package import Migration
package import MigrationProtocol
import Model
import Ownership
package import PeerLink

extension MigrationInfo {
    mutating func recordOutcome(_ result: Result<MigrationReport, MigrationFailure>) {
        switch result {
        case .success(let report):
            state = report.rehearsal == nil ? .succeeded : .rehearsed
            self.report = ReportInfo(report)
        case .failure(let failure):
            state = failure.reason == .cancelled ? .cancelled : .failed
            self.failure = FailureInfo(failure)
        }
    }
}

extension FailureInfo {
    init(_ failure: MigrationFailure) {
        var details: [String] = []
        if case .refused(let refusal) = failure.reason { details = refusal.details }
        var isRunning = false
        if case .runsAtSource = failure.aftermath { isRunning = true }
        self.init(
            code: FailureCode(failure.reason), phase: failure.phase, reason: "\(failure.reason)",
            aftermath: "\(failure.aftermath)", details: details, vmIsRunning: isRunning)
    }
}

extension FailureCode {
    package init(_ reason: MigrationFailure.Reason) {
        self =
            switch reason {
            case .link(let error): FailureCode(error)
            case .refused(let refusal): FailureCode(refusal.code)
            case .cancelled: .cancelled
            case .doesNotConverge: .notConverged
            case .memoryDiffers: .memoryDiffers
            case .guest(let error): FailureCode(error.kind)
            case .ledger(let error): FailureCode(error)
            case .malformed: .malformedMessage
            case .unexpectedMessage: .unexpectedMessage
            case .noAnswer: .noAnswer
            case .neverRan: .neverRan
            }
    }

    package init(_ error: LinkError) {
        self =
            switch error {
            case .unreachable: .unreachable
            case .untrustedPeer: .peerUntrusted
            case .expiredCertificate: .peerCertificateExpired
            case .noIdentity: .peerWithoutIdentity
            case .wrongCluster: .peerOfOtherCluster
            case .wrongRole: .peerOfOtherRole
            case .wrongName: .peerOfOtherName
            case .refusedByPeer: .certificateRefused
            case .notTLS: .peerWithoutTLS
            case .tlsTooOld: .peerTLSTooOld
            case .tls: .tlsFailed
            case .closed: .connectionClosed
            case .broken: .connectionBroken
            case .timedOut: .peerSilent
            case .interrupted: .interrupted
            case .system: .hostFailed
            }
    }

    package init(_ error: LedgerError) {
        self =
            switch error {
            case .contradicts: .ledgerContradicts
            case .full: .ledgerFull
            case .failed: .ledgerFailed
            case .damaged, .replaced: .ledgerDamaged
            }
    }

    package init(_ kind: GuestError.Kind) {
        self =
            switch kind {
            case .died: .guestDied
            case .silent: .guestSilent
            case .refused: .guestRefused
            }
    }

    package init(_ code: MigrationRefusal.Code) {
        self =
            switch code {
            case .versionMismatch: .refusedVersionMismatch
            case .protocolViolation: .refusedProtocolViolation
            case .notAllowed: .refusedNotAllowed
            case .cpuFeaturesMissing: .refusedCPUFeaturesMissing
            case .notEnoughMemory: .refusedNotEnoughMemory
            case .nameExists: .refusedNameExists
            case .vmExists: .refusedVMExists
            case .busy: .refusedBusy
            case .notAccepting: .refusedNotAccepting
            case .badSpec: .refusedBadSpec
            case .memoryDiffers: .refusedMemoryDiffers
            case .badState: .refusedBadState
            case .guestFailure: .refusedGuestFailure
            case .ledgerFailure: .refusedLedgerFailure
            case .hostFailure: .refusedHostFailure
            case .cancelled: .refusedCancelled
            case .gaveUp: .refusedGaveUp
            case .timedOut: .refusedTimedOut
            }
    }
}
