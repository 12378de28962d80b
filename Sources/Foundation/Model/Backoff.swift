// The pauses between attempts that fail: each is twice the one before it, up to the longest.

/// A value: copy it to start from the first pause.
public struct Backoff: Hashable, Sendable {
    public let first: Duration
    public let longest: Duration
    /// Attempts that have failed in a row.
    private var failures = 0

    public init(first: Duration, longest: Duration) {
        precondition(first > .zero && first <= longest, "pauses grow from the first to the longest")
        self.first = first
        self.longest = longest
    }

    /// The pause after one more failed attempt.
    public mutating func nextPause() -> Duration {
        failures += 1
        return pauseDuration(afterFailures: failures)
    }

    /// An attempt succeeded: the next pause is the first again.
    public mutating func resetFailures() { failures = 0 }

    /// - Parameter count: failed attempts in a row, 1 or more.
    public func pauseDuration(afterFailures count: Int) -> Duration {
        var pause = first
        for _ in 1..<max(1, count) {
            if pause >= longest { break }
            pause *= 2
        }
        return min(pause, longest)
    }
}
