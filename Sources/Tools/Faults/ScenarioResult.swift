// What came of one scenario.

import Model

/// Where the VM is afterwards.
package enum FinalOwner: String, Hashable, Sendable {
    case source, destination
    /// Gone with the ferry-vmm of its owner, which was killed; its host says so.
    case lost = "lost with its vmm"
}

package struct ScenarioResult: Sendable {
    package let scenario: Scenario
    package var owner: FinalOwner?
    /// From the fault until the guest beat again at full speed; nil when it never stood still or was lost.
    package var recovery: Duration?
    /// From the fault until the source's migration had ended; nil when the source's agent does not know it any more.
    package var noticed: Duration?
    /// The migration's code at the source: "moved", or why not.
    package var code: String?
    /// Sentences; empty is good.
    package var violations: [String] = []
    package var logs: String?

    package var line: String {
        func secondsText(for duration: Duration?) -> String {
            duration.map { "\($0.seconds.rounded(decimals: 2)) s" } ?? "–"
        }
        let verdict = violations.isEmpty ? "ok  " : "FAIL"
        return
            "\(verdict) \(scenario.name) → \(owner?.rawValue ?? "unknown"), full speed \(secondsText(for: recovery)), ended \(secondsText(for: noticed)), \(code ?? "–")"
            + violations.map { "\n       \($0)" }.joined()
    }
}
