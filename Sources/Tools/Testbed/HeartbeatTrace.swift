// What a guest's heartbeats say, seen from outside: were any lost or repeated, and how long was the silence.

package import Host
package import Pulse

/// The heartbeats of one pulse guest in order of arrival.
package struct HeartbeatTrace: Sendable {
    package private(set) var beats: [(arrival: Instant, heartbeat: PulseHeartbeat)] = []

    package init(_ lines: [ConsoleLine]) {
        for line in lines {
            if case .heartbeat(let heartbeat) = PulseLine(line.text) {
                beats.append((line.arrival, heartbeat))
            }
        }
    }

    /// Wrong pages that the guest has counted so far.
    package var errors: Int { beats.map(\.heartbeat.errors).max() ?? 0 }

    /// The first pair of neighbours whose sequence numbers do not follow each other.
    package var firstBreak: (before: Int, after: Int)? {
        for (left, right) in zip(beats, beats.dropFirst())
        where right.heartbeat.sequence != left.heartbeat.sequence + 1 {
            return (left.heartbeat.sequence, right.heartbeat.sequence)
        }
        return nil
    }

    /// The longest time between two heartbeats of which the later one arrived in `from...to`.
    package func longestGap(from start: Instant, to end: Instant) -> Duration {
        zip(beats, beats.dropFirst())
            .filter { $1.arrival >= start && $1.arrival <= end }
            .map { $1.arrival - $0.arrival }
            .max() ?? .zero
    }
}
