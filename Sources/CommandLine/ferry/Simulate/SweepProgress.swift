// How far a sweep has come: one line on a terminal, nothing elsewhere.

import Host
import SimulationReport
import Synchronization

final class SweepProgress: Sendable {
    private static let interval = Duration.milliseconds(200)

    private struct State {
        var fractions: [Double]
        var shownAt = Instant.now
    }

    private let isShown = StandardStreams.errorIsTerminal
    private let state: Mutex<State>

    init(runs: Int) { state = Mutex(State(fractions: Array(repeating: 0, count: runs))) }

    /// From any thread.
    func updateProgress(ofRun run: Int, fraction: Double) {
        guard isShown else { return }
        state.withLock { state in
            state.fractions[run] = fraction
            let now = Instant.now
            guard now - state.shownAt >= Self.interval else { return }
            state.shownAt = now
            Self.writeToStderr("\r\u{1b}[2K" + Self.summaryText(for: state.fractions))
        }
    }

    func clearLine() {
        if isShown { Self.writeToStderr("\r\u{1b}[2K") }
    }

    private static func summaryText(for fractions: [Double]) -> String {
        let share = fractions.reduce(0, +) / Double(max(1, fractions.count))
        let percent = fixedPointText(for: share * 100, decimals: 0)
        let done = fractions.reduce(0) { $0 + ($1 >= 1 ? 1 : 0) }
        return fractions.count == 1
            ? "simulated \(percent) %"
            : "simulated \(percent) %, \(done) of \(fractions.count) runs"
    }

    private static func writeToStderr(_ text: String) {
        // Progress that cannot be shown is no reason to fail.
        try? StandardStreams.writeBytes(Array(text.utf8), toDescriptor: 2)
    }
}
