// Every bound of a run.

package enum Limits {
    /// Requests of one workload: rows are numbered in 32 bits.
    package static let requestsMax = 1 << 30
    /// Readings of utilisation, and rounds of a move policy, in one run.
    package static let ticksMax = 1 << 24
    /// Calls of the one who follows a run's progress, by simulated time and by requests.
    static let progressSteps = 200
    package static let courseSamplesMax = 1 << 16
    package static let heatRowsMax = 1 << 12

    /// Plans of a drain before it is given up, and the time between two.
    static let drainPlansMax = 4
    static let drainPause = Duration.seconds(60)

    /// Thresholds of each dimension in the lower bound on hosts.
    static let thresholdsMax = 6
    /// The largest k of the rounding functions in it.
    static let roundingMax = 4
    /// Lines below the power curves in the lower bound on energy.
    static let linesMax = 12

    /// The finest bins of a distribution: this many for each factor of ten.
    static let binsPerDecade = 100
    /// And the coarse ones that a result shows.
    static let shownBinsPerDecade = 10
    /// Decades of a distribution, beginning at `distributionMin`.
    static let decades = 9
    static let distributionMin = 1e-2
}
