// What is told when a migration gives up because the guest writes faster than the link carries.

/// The state of the last round of a migration that does not converge.
package struct ConvergenceFacts: Hashable, Sendable {
    package var rounds: Int
    /// Pages that the last round left dirty.
    package var dirtyPages: Int
    package var dirtyPagesPerSecond: Double
    package var pagesSentPerSecond: Double
    package var throttlePercent: Int
    /// What the pause would have lasted, and what it may last.
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
        "after \(rounds) rounds \(dirtyPages) pages are dirty, \(Int(dirtyPagesPerSecond)) pages/s are "
            + "written and \(Int(pagesSentPerSecond)) sent, vCPUs held back \(throttlePercent) %, "
            + "the pause would be \(predictedDowntime) where \(downtimeLimit) is allowed"
    }
}
