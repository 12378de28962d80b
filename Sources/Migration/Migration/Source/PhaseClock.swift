// The duration of each phase of a migration.

import Host
import Model

/// Begin and end marks of consecutive phases; a phase may occur more than once.
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

    /// Moves a part of one phase's time to another phase: the part that the peer measured.
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
