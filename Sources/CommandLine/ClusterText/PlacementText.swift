// Why this host and why not that one: every host, its score term by term, or the filter that refused it.

package import API
import Model
package import Placement

extension PlacementAnswer {
    package var text: String { decision.text }
    package var sentence: String { decision.sentence }

    private var decision: Decision {
        Decision(
            vm: vm.text, policy: policy, chosen: chosen?.text,
            verdicts: verdicts.map { verdict in
                Decision.Verdict(
                    host: verdict.host.text, score: verdict.score,
                    refusal: verdict.filter.map { ($0, verdict.refusal ?? "no reason given") },
                    terms: verdict.terms?.map { ($0.name, $0.value) })
            })
    }
}

extension PlacementExplanation {
    /// - Parameter hosts: of the cluster in which the decision was made.
    package func explanationText(hosts: [PlacementHost]) -> String {
        let verdicts = zip(hosts, verdicts).map { host, verdict in
            switch verdict {
            case .refused(let refusal):
                Decision.Verdict(host: host.name, refusal: (refusal.filter, "\(refusal)"))
            case .notDrawn: Decision.Verdict(host: host.name)
            case .scored(let terms):
                Decision.Verdict(
                    host: host.name, score: verdict.score, terms: terms.map { ($0.name, $0.value) })
            }
        }
        return Decision(
            vm: vm, policy: policy, chosen: chosen.map { hosts[$0].name }, verdicts: verdicts
        ).text
    }
}

/// A decision of a controller or of a simulation.
private struct Decision {
    struct Verdict {
        var host: String
        var score: Double?
        var refusal: (filter: String, why: String)?
        var terms: [(name: String, value: Double)]?

        var why: String {
            if let refusal { return "refused by \(refusal.filter): \(refusal.why)" }
            guard let terms else { return "could take it, but no lot fell on it" }
            return terms.map { "\($0.name) \(decimalText(for: $0.value))" }.joined(separator: " + ")
        }
    }

    var vm: String
    var policy: String
    var chosen: String?
    var verdicts: [Verdict]

    var text: String {
        var table = Table("", "HOST", "SCORE", "WHY")
        for verdict in inOrder {
            table.addRow(
                verdict.host == chosen ? "*" : "", verdict.host,
                verdict.score.map(decimalText) ?? "-", verdict.why)
        }
        return "\(table.text)\n\(sentence)"
    }

    var sentence: String {
        chosen.map { "\(vm) would go to \($0), by the policy \(policy)" }
            ?? "no host can take \(vm)"
    }

    /// The best first, then those that no lot fell on, then those that refuse.
    private var inOrder: [Verdict] {
        func displayRank(of verdict: Verdict) -> Int {
            if verdict.host == chosen { return 0 }
            if verdict.score != nil { return 1 }
            return verdict.refusal == nil ? 2 : 3
        }
        return verdicts.sorted { left, right in
            if displayRank(of: left) != displayRank(of: right) {
                return displayRank(of: left) < displayRank(of: right)
            }
            let scores = (left.score ?? 0, right.score ?? 0)
            return scores.0 != scores.1 ? scores.0 > scores.1 : left.host < right.host
        }
    }
}
