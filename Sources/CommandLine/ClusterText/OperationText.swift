// Operations: in a list, and at their end with what was predicted beside what came.

import Foundation
package import API
import Model

package func operationTableText(for operations: [OperationInfo]) -> String {
    var table = Table("ID", "KIND", "HOST", "STATE", "MOVES", "STARTED", "BY", "DETAIL")
    for operation in operations {
        table.addRow(
            operation.id.description, operation.kind.rawValue, operation.host?.text ?? "",
            operation.state.rawValue, "\(operation.movesDone)/\(operation.plan.moves.count)",
            timestampText(ms: operation.startedAtMs), operation.startedBy, operation.detail ?? "")
    }
    return table.text
}

extension OperationInfo {
    /// "drain of host-a", "migrate web"
    package var title: String {
        switch kind {
        case .drain: host.map { "drain of \($0)" } ?? "drain"
        case .bringBack: host.map { "return to \($0)" } ?? "return"
        case .balance: "balance"
        case .migrate: plan.moves.first.map { "migration of \($0.vm)" } ?? "migration"
        }
    }

    /// Everything: the moves with what was predicted beside what came, what was left and why.
    package var text: String {
        var lines: [String] = []
        if !plan.moves.isEmpty { lines.append(movesText) }
        lines += plan.left.map { "\($0.vm) stays: \($0.why)" }
        lines.append(summary)
        return lines.joined(separator: "\n")
    }

    private var movesText: String {
        var table = Table(
            "VM", "FROM", "TO", "MOVE", "TIME", "PREDICTED", "DOWNTIME", "PREDICTED", "REASON")
        for move in plan.moves {
            table.addRow(
                move.vm.text, move.from.text, move.to.text, move.stateText,
                move.actualSeconds.map(timeSpanText) ?? "-",
                timeSpanText(seconds: move.predicted.seconds.expected),
                move.actualDowntimeMs.map { durationText(milliseconds: $0) } ?? "-",
                durationText(milliseconds: move.predicted.downtimeMs.expected), move.reason ?? "")
        }
        return table.text
    }

    private var summary: String {
        var text =
            "\(title): \(stateWord), \(movesDone) of \(quantityText(count: plan.moves.count, noun: "move"))"
        if let endedAtMs {
            let seconds = Double(endedAtMs - startedAtMs) / 1000
            text += " in \(timeSpanText(seconds: seconds))"
            if !plan.moves.isEmpty {
                text += " (predicted \(timeSpanText(seconds: plan.seconds.expected)))"
            }
        }
        if let outcome = plan.outcome { text += "\n\(outcome)" }
        // Of an operation that left something, it says once more what the lines above say.
        if let detail, isToldByDetailAlone { text += "\n\(detail)" }
        return text
    }

    private var isToldByDetailAlone: Bool {
        plan.left.isEmpty && !plan.moves.contains { $0.state == .failed }
    }

    private var stateWord: String {
        switch state {
        case .running: "under way"
        case .cancelling: "is ending"
        case .succeeded: "done"
        case .incomplete: "ended, something is left"
        case .cancelled: "cancelled"
        }
    }

    /// Nothing is left that was asked for.
    package var isComplete: Bool { state == .succeeded && plan.left.isEmpty }
}

extension MoveInfo {
    fileprivate var stateText: String {
        attempts > 1 ? "\(state.rawValue), \(attempts) attempts" : state.rawValue
    }
}

/// "2026-03-01 12:00:05", UTC.
package func timestampText(ms: Int64) -> String {
    let date = Date(timeIntervalSince1970: Double(ms) / 1000)
    return date.formatted(
        .iso8601.year().month().day().dateSeparator(.dash).dateTimeSeparator(.space)
            .time(includingFractionalSeconds: false).timeSeparator(.colon))
}
