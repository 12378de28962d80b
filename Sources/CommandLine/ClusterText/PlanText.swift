// Plans before anything is done: who goes where, why, and what it is expected to take.

package import API
import Model

extension PlanInfo {
    /// - Parameter nothing: what to say when there is nothing to move.
    package func summaryText(ifEmpty nothing: String) -> String {
        var lines: [String] = []
        if moves.isEmpty {
            lines.append(nothing)
        } else {
            lines.append(movesText)
            lines.append(
                "\(quantityText(count: moves.count, noun: "move")) in \(quantityText(count: waves, noun: "wave")), \(seconds.secondsText)"
            )
        }
        lines += left.map { "\($0.vm) stays: \($0.why)" }
        if let imbalanceBefore, let imbalanceAfter {
            lines.append(
                "imbalance \(decimalText(for: imbalanceBefore)), after it \(decimalText(for: imbalanceAfter))"
            )
        }
        if let outcome { lines.append(outcome) }
        return lines.joined(separator: "\n")
    }

    private var movesText: String {
        var table = Table("WAVE", "VM", "FROM", "TO", "TIME", "DOWNTIME", "DATA", "WHY")
        for move in moves {
            table.addRow(
                "\(move.wave + 1)", move.vm.text, move.from.text, move.to.text,
                ClusterText.timeSpanText(seconds: move.predicted.seconds.expected),
                move.predicted.downtimeText,
                byteCountText(for: move.predicted.bytes.expected), move.why)
        }
        return table.text
    }
}

extension MovePrediction {
    /// "7.3 ms", with a word where the VM will not like it.
    package var downtimeText: String {
        var text = durationText(milliseconds: downtimeMs.expected)
        if isThrottled { text += ", held back" }
        if !keepsDowntimeLimit { text += ", above its limit" }
        return text
    }
}

extension Estimate {
    /// "about 12 s (9.1 s to 16 s)"
    package var secondsText: String {
        let middle = "about \(ClusterText.timeSpanText(seconds: expected))"
        guard low < expected || high > expected else { return middle }
        return
            "\(middle) (\(ClusterText.timeSpanText(seconds: low)) to \(ClusterText.timeSpanText(seconds: high)))"
    }
}

extension MaintenancePlanInfo {
    package var text: String {
        var lines: [String] = []
        for (number, group) in groups.enumerated() {
            let names = group.hosts.map(\.text).joined(separator: ", ")
            lines.append(
                "group \(number + 1)  \(names)  (\(quantityText(count: group.drain.moves.count, noun: "move")), \(group.drain.seconds.secondsText))"
            )
        }
        for group in impossible {
            for host in group.hosts { lines.append("\(host) cannot be emptied, not even alone:") }
            lines += group.drain.left.map { "    \($0.vm) stays: \($0.why)" }
        }
        if lines.isEmpty { return "there is no active host to plan for" }
        if groups.count > 1 {
            lines.append(
                "Empty one group, do the work there, `ferry activate HOST --bring-back`, then the next."
            )
        }
        return lines.joined(separator: "\n")
    }
}

/// "1 move", "20 moves"
package func quantityText(count: Int, noun: String) -> String {
    "\(count) \(noun)\(count == 1 ? "" : "s")"
}
