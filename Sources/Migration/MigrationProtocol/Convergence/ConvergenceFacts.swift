// The facts that are reported when a migration ends because the guest writes faster than the link can carry.

/// The state of the last round of a migration that does not converge.
package struct ConvergenceFacts: Hashable, Sendable {
    package var rounds: Int
    /// Pages that are dirty after the last round.
    package var dirtyPages: Int
    package var dirtyPagesPerSecond: Double
    package var pagesSentPerSecond: Double
    package var throttlePercent: Int
    /// The predicted downtime, and its limit.
    package var predictedDowntime: Duration
    package var downtimeLimit: Duration

    package init(
        rounds: Int, dirtyPages: Int, dirtyPagesPerSecond: Double, pagesSentPerSecond: Double,
        throttlePercent: Int, predictedDowntime: Duration, downtimeLimit: Duration
    ) {
        self.rounds = rounds
        self.dirtyPages = dirtyPages
        self.dirtyPagesPerSecond = dirtyPagesPerSecond
        self.pagesSentPerSecond = pagesSentPerSecond
        self.throttlePercent = throttlePercent
        self.predictedDowntime = predictedDowntime
        self.downtimeLimit = downtimeLimit
    }
}

extension ConvergenceFacts: CustomStringConvertible {
    package var description: String {
        "after \(rounds) rounds \(dirtyPages) pages are dirty, the guest dirties \(Int(dirtyPagesPerSecond)) pages/s, "
            + "\(Int(pagesSentPerSecond)) pages/s are sent, vCPUs are throttled by \(throttlePercent) %, "
            + "the predicted downtime is \(predictedDowntime), the limit is \(downtimeLimit)"
    }
}
