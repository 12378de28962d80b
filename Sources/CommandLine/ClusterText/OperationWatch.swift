// An operation that somebody follows: how far it is, what moves, how long it will still take.
//
// A plan's waves go one after the other, the moves of a wave side by side: what is left is, over the waves that are
// not over, the longest move of each; of a move under way, what is left of it since it was first seen.

package import API
import Model

package struct OperationWatch: Sendable {
    private var firstSeen: [Int: Double] = [:]

    package init() {}

    /// "[3/20] moving web to host-b and 2 more, 12 s left"
    /// - Parameter now: seconds by any clock that only goes forward.
    package mutating func progressLine(for operation: OperationInfo, at now: Double) -> String {
        recordStarts(of: operation, at: now)
        let count = "[\(operation.movesDone)/\(operation.plan.moves.count)]"
        let rest = "\(timeSpanText(seconds: remainingSeconds(of: operation, at: now))) left"
        let running = operation.plan.moves.filter { $0.state == .running }
        let isEnding = operation.state == .cancelling ? "ending, " : ""
        guard let first = running.first else {
            let isWaiting = operation.plan.moves.contains { $0.state == .waiting }
            return isWaiting
                ? "\(count) \(isEnding)waiting to go on, \(rest)" : "\(count) finishing"
        }
        let others = running.count > 1 ? " and \(running.count - 1) more" : ""
        return "\(count) \(isEnding)moving \(first.vm) to \(first.to)\(others), \(rest)"
    }

    private mutating func recordStarts(of operation: OperationInfo, at now: Double) {
        for (number, move) in operation.plan.moves.enumerated() {
            if move.state == .running {
                if firstSeen[number] == nil { firstSeen[number] = now }
            } else {
                // It waits to be tried again, or is over.
                firstSeen[number] = nil
            }
        }
    }

    private func remainingSeconds(of operation: OperationInfo, at now: Double) -> Double {
        var longest: [Int: Double] = [:]
        for (number, move) in operation.plan.moves.enumerated() {
            guard move.state == .running || move.state == .waiting else { continue }
            if operation.state == .cancelling, move.state == .waiting { continue }
            let gone = firstSeen[number].map { now - $0 } ?? 0
            let left = max(0, move.predicted.seconds.expected - gone)
            longest[move.wave] = max(longest[move.wave] ?? 0, left)
        }
        return longest.values.reduce(0, +)
    }
}
