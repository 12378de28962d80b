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
    func show(_ run: Int, _ fraction: Double) {
        guard isShown else { return }
        state.withLock { state in
            state.fractions[run] = fraction
            let now = Instant.now
            guard now - state.shownAt >= Self.interval else { return }
            state.shownAt = now
            Self.write("\r\u{1b}[2K" + Self.text(state.fractions))
        }
    }

    func clear() {
        if isShown { Self.write("\r\u{1b}[2K") }
    }

    private static func text(_ fractions: [Double]) -> String {
        let share = fractions.reduce(0, +) / Double(max(1, fractions.count))
        let percent = fixedText(share * 100, decimals: 0)
        let done = fractions.reduce(0) { $0 + ($1 >= 1 ? 1 : 0) }
        return fractions.count == 1
            ? "simulated \(percent) %"
            : "simulated \(percent) %, \(done) of \(fractions.count) runs"
    }

    private static func write(_ text: String) {
        // Progress that cannot be shown is no reason to fail.
        try? StandardStreams.write(Array(text.utf8), to: 2)
    }
}
