// Every bound of the controller.

/// Bounds of the controller.
package enum Limits {
    /// Connections to the API at a time: each agent keeps one, and people some.
    package static let connectionsMax = 8192

    // The driver

    /// Requests that wait for the cluster; more are told to come again.
    package static let queueMax = 10_000
    /// Records that a batch may change before it is stored; the request that goes beyond is the batch's last.
    package static let batchChanges = 500
    /// Between two looks at what waits for time to pass.
    package static let tick = Duration.milliseconds(500)
    /// How far a lease's renewals lie apart: a part of the lease.
    package static let renewalsPerLease = 3
    /// Between attempts to read a store that does not answer: first, last.
    package static let storePauses = (first: Duration.milliseconds(100), last: Duration.seconds(2))
    /// For how long the store must know what changed, and how often it is told to forget what is older.
    package static let changesKept = Duration.seconds(600)
    package static let compactionInterval = Duration.seconds(60)
    /// For how long a follower believes what it last heard of the leader.
    package static let leaderBelieved = Duration.milliseconds(500)
    package static let shutdown = Duration.seconds(10)

    // Commands

    package static let commandsMax = 256
    package static let commandsPerAgentMax = 8

    // Events

    package static let streamsMax = 64
    package static let keepAlive = Duration.seconds(15)
    /// Events that wait for a client that reads slowly; then its stream ends, and it comes again.
    package static let eventsWaitingMax = 10_000

    // Tokens

    package static let tokenBytes = 32
    /// A token's text, with its name.
    package static let tokenTextMax = 256
}
