// How the end of a migration is told: typed reasons become stable codes, with the facts beside them.

import API
import Migration
import MigrationProtocol
import Model
import PeerLink

extension MigrationInfo {
    mutating func finish(with result: Result<MigrationReport, MigrationFailure>) {
        switch result {
        case .success(let report):
            state = .succeeded
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
            code: failure.reason.code, phase: failure.phase,
            message: "\(failure.reason); \(failure.aftermath)", details: details,
            vmIsRunning: isRunning)
    }
}

extension MigrationFailure.Reason {
    /// Stable, for programs.
    var code: String {
        switch self {
        case .link(let error):
            if case .unreachable = error { "unreachable" } else { "link_failed" }
        case .refused(let refusal): "refused_\(snakeCase("\(refusal.code)"))"
        case .cancelled: "cancelled"
        case .doesNotConverge: "not_converged"
        case .memoryDiffers: "memory_differs"
        case .guest: "guest_failed"
        case .ledger: "ledger_failed"
        case .malformed, .unexpectedMessage: "protocol_error"
        case .noAnswer: "no_answer"
        case .neverRan: "never_ran"
        }
    }
}

/// "cpuFeaturesMissing" as "cpu_features_missing".
func snakeCase(_ text: String) -> String {
    text.reduce(into: "") { $0 += $1.isUppercase ? "_\($1.lowercased())" : "\($1)" }
}
