// Whether a guest runs as fast as it did, by its heartbeats.

import Host
import Model
import Pulse
import Testbed

extension HeartbeatTrace {
    /// Three neighbours show a pace.
    private static let windowBeats = 3
    /// What a busy machine, or a handover to which nothing happened, may add to three heartbeats.
    private static let slack = Duration.milliseconds(250)
    /// Of the usual rate of writing. A guest that is held back by most of its time stays below.
    private static let share = 0.4

    /// When, after a moment, the guest began to beat and write as in an earlier trace and did so ever since; the
    /// moment itself when it never stopped. Nil while it does not.
    func fullSpeed(from start: Instant, as before: HeartbeatTrace) -> Instant? {
        guard let usual = before.pageWriteRate(over: before.beats.indices),
            let period = before.period,
            let first = beats.lastIndex(where: { $0.arrival < start }),
            beats.endIndex - first > Self.windowBeats
        else { return nil }
        let windows = (first...(beats.endIndex - Self.windowBeats)).map {
            $0..<($0 + Self.windowBeats)
        }
        let slow = windows.last { window in
            let (left, right) = (beats[window.lowerBound], beats[window.upperBound - 1])
            return right.arrival - left.arrival > period * 2 + Self.slack
                || (pageWriteRate(over: window) ?? 0) < usual * Self.share
        }
        guard let slow else { return start }
        return slow == windows.last ? nil : beats[slow.upperBound - 1].arrival
    }

    /// Pages a second by the guest's own clock.
    private func pageWriteRate(over range: Range<Int>) -> Double? {
        guard range.count > 1 else { return nil }
        let (first, last) = (
            beats[range.lowerBound].heartbeat, beats[range.upperBound - 1].heartbeat
        )
        let seconds = (last.time - first.time).milliseconds / 1000
        return seconds > 0 ? Double(last.pagesWritten - first.pagesWritten) / seconds : nil
    }

    private var period: Duration? {
        guard let first = beats.first, let last = beats.last, beats.count > 1 else { return nil }
        return (last.arrival - first.arrival) / (beats.count - 1)
    }
}
