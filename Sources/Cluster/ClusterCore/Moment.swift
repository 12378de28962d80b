// A moment, by the two clocks that count: one that never jumps, for waiting, and the calendar's, for people and for what
// must outlive this process.

package struct Moment: Hashable, Sendable {
    /// Since some moment before this process began to lead; never goes back, goes on through a suspension.
    package var uptime: Duration
    /// Milliseconds since 1970.
    package var wallMs: Int64

    package init(uptime: Duration, wallMs: Int64) {
        self.uptime = uptime
        self.wallMs = wallMs
    }
}

extension Duration {
    package var wholeMilliseconds: Int64 {
        components.seconds * 1000 + components.attoseconds / 1_000_000_000_000_000
    }
}
