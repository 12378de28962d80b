// Why this host and why not that one: every host, its score term by term, or the filter that refused it.

package import API
import Model

extension PlacementAnswer {
    package var text: String {
        var table = Table("", "HOST", "SCORE", "WHY")
        for verdict in inOrder {
            table.add(
                verdict.host == chosen ? "*" : "", verdict.host.text,
                verdict.score.map(figureText) ?? "-", verdict.why)
        }
        return "\(table.text)\n\(sentence)"
    }

    package var sentence: String {
        chosen.map { "\(vm) would go to \($0), by the policy \(policy)" }
            ?? "no host can take \(vm)"
    }

    /// The best first, then those that no lot fell on, then those that refuse.
    private var inOrder: [Verdict] {
        func rank(_ verdict: Verdict) -> Int {
            if verdict.host == chosen { return 0 }
            if verdict.score != nil { return 1 }
            return verdict.filter == nil ? 2 : 3
        }
        return verdicts.sorted { left, right in
            if rank(left) != rank(right) { return rank(left) < rank(right) }
            let scores = (left.score ?? 0, right.score ?? 0)
            return scores.0 != scores.1 ? scores.0 > scores.1 : left.host < right.host
        }
    }
}

extension PlacementAnswer.Verdict {
    fileprivate var why: String {
        if let filter { return "refused by \(filter): \(refusal ?? "no reason given")" }
        guard let terms else { return "could take it, but no lot fell on it" }
        return terms.map { "\($0.name) \(figureText($0.value))" }.joined(separator: " + ")
    }
}
