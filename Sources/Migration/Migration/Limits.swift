// Every bound of the migration drivers.

import Model

/// Bounds of migrations under way.
package enum Limits {
    package static let streamsMax = 16
    /// Chunks that are cleared in the dirty log at once: 64 MiB.
    static let groupChunks = 32
    /// How far clearing may run ahead of sending.
    static let groupsAhead = 2
    /// How often progress is refreshed while a round goes on.
    static let tick = Duration.milliseconds(100)
    static let aliveInterval = Duration.seconds(1)
    /// How long a destination may take to build the guest; a little longer than its own limit.
    static func prepareTimeout(of spec: VMSpec) -> Duration { .seconds(35) + spec.hugePageTime }
    /// Data streams are ended by their session; this only bounds a session that would forget to.
    static let streamSilenceMax = Duration.seconds(24 * 3600)
    /// Nice value of the threads that copy pages: the guest keeps its processor.
    static let streamNice: Int32 = 5
    /// Of the thread that verifies memory: nobody waits for it.
    static let verificationNice: Int32 = 19

    /// How often a ledger's write is timed before a migration; the best counts, a disk's hiccup does not.
    static let ledgerMeasurements = 3

    /// A data stream is lost: how long the source's word for it may take on the control connection.
    static let lastWordsTimeout = Duration.seconds(1)
    /// The streams of a lost connection go on receiving what has arrived until nothing comes for so long.
    static let drainTimeout = Duration.milliseconds(300)

    static let sessionsMax = 8
    static let connectionsMax = 256
    /// How long a new connection may wait before it says what it is for.
    static let helloTimeout = Duration.seconds(5)
    static let acceptTick = Duration.seconds(1)
    /// A question's answer may change under the asker once or twice, not for ever.
    static let answerAttemptsMax = 3

    /// Content pages of a trial that are not judged: what two sockets' buffers hold.
    static let warmUpPages = 1024
    /// Content pages on which an encoding is judged.
    static let trialPages = 1536
    /// Content pages after which a stream tries the other encodings again.
    static let retrialPages = 65536
}
