// All limits of the migration drivers.

import Model

/// Limits of running migrations.
package enum Limits {
    package static let streamsMax = 16
    /// Chunks that are cleared in the dirty log in one group: 64 MiB.
    static let groupChunks = 32
    /// How many groups clearing may be ahead of sending.
    static let groupsAhead = 2
    /// The interval at which progress is updated during a round.
    static let tick = Duration.milliseconds(100)
    static let aliveInterval = Duration.seconds(1)
    /// How long a destination may take to build the guest; slightly longer than the destination's own limit.
    static func prepareTimeout(of spec: VMSpec) -> Duration { .seconds(35) + spec.hugePageTime }
    /// The session ends its data streams; this only bounds a stream whose session fails to do so.
    static let streamSilenceMax = Duration.seconds(24 * 3600)
    /// The nice value of the threads that copy pages, so that the guest keeps its processor.
    static let streamNice: Int32 = 5
    /// The nice value of the thread that verifies memory, which is not urgent.
    static let verificationNice: Int32 = 19

    /// How often the ledger's write is timed before a migration; the best time counts, so that a slow outlier does not.
    static let ledgerMeasurements = 3

    /// After the loss of a data stream: how long the source's reason may take to arrive on the control connection.
    static let lastWordsTimeout = Duration.seconds(1)
    /// The streams of a lost connection continue to receive until nothing has arrived for this long.
    static let drainTimeout = Duration.milliseconds(300)

    static let sessionsMax = 8
    static let connectionsMax = 256
    /// How long a new connection may take to state its purpose.
    static let helloTimeout = Duration.seconds(5)
    static let acceptTick = Duration.seconds(1)
    /// The ledger may change during a query once or twice, but not without limit.
    static let answerAttemptsMax = 3

    /// Pages with content at the start of a trial that are not measured: the capacity of the two socket buffers.
    static let warmUpPages = 1024
    /// Pages with content on which an encoding is measured.
    static let trialPages = 1536
    /// Pages with content after which a stream tries the other encodings again.
    static let retrialPages = 65536
}
