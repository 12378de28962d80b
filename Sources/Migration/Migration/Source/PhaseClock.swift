// How long each phase of a migration took.

import Host
import Model

/// Begin and end marks of phases, one after another; a phase may come back.
struct PhaseClock: Sendable {
    private(set) var phase = MigrationPhase.connect
    private var begun: Instant
    private let start: Instant
    private var durations: [MigrationPhase: Duration] = [:]

    init(at now: Instant) {
        start = now
        begun = now
    }

    mutating func beginPhase(_ next: MigrationPhase, at now: Instant) {
        durations[phase, default: .zero] += now - begun
        phase = next
        begun = now
    }

    /// Moves part of what one phase took to another: what the peer measured inside it.
    mutating func reassignDuration(_ duration: Duration, from: MigrationPhase, to: MigrationPhase) {
        let moved = min(duration, durations[from] ?? .zero)
        durations[from, default: .zero] -= moved
        durations[to, default: .zero] += moved
    }

    func elapsedTime(at now: Instant) -> Duration { now - start }

    var phaseDurations: [PhaseDuration] {
        durations.sorted { $0.key < $1.key }
            .map { PhaseDuration(phase: $0.key, duration: $0.value) }
    }
}
