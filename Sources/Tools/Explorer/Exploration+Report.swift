// An exploration's result as text.

import Model

extension Exploration {
    /// One line.
    package var figures: String {
        let seconds =
            Double(duration.components.seconds) + Double(duration.components.attoseconds) * 1e-18
        let rate = seconds > 0 ? Int(Double(states) / seconds) : 0
        return
            "\(states) states, \(transitions) transitions, depth \(depth), \(seconds.rounded(decimals: 1)) s, \(rate) states/s"
    }

    package var report: String {
        guard let finding else {
            return figures
                + (isComplete ? ", complete: no violation" : ", not complete: no violation so far")
        }
        let steps = finding.conversation.enumerated().map { index, line in
            let number = "\(index + 1)"
            return String(repeating: " ", count: max(0, 4 - number.count)) + number + "  " + line
        }
        return ([figures, "violation: \(finding.violation.text)"] + steps + finding.summary)
            .joined(separator: "\n")
    }
}

extension Violation {
    package var text: String {
        switch self {
        case .twoRun: "two hosts execute the guest"
        case .sameEpoch: "two ledgers own the VM in one epoch"
        case .supersededRuns: "a host that knows that it is superseded runs the VM"
        case .contradiction: "a ledger refused a record that must be allowed"
        case .sourceDoesNotRun:
            "the migration failed before GO, and the VM does not run at its source"
        case .cancelIgnored: "a cancel was taken, and the VM is not at its source"
        case .stuck: "from here neither a running owner nor a stated recovery can be reached"
        }
    }
}
