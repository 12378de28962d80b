// Every bound of the agent.

package import Model

/// Bounds of the agent.
package enum Limits {
    package static let vmsMax = 1024
    /// Connections to the API at a time.
    package static let connectionsMax = 256
    /// How long a new ferry-vmm may take until it answers: its memory is made meanwhile.
    package static func vmmStart(of spec: VMSpec) -> Duration {
        .seconds(30) + spec.hugePageTime
    }
    package static let vmmRestore = Duration.seconds(600)
    package static let vmmStartPoll = Duration.milliseconds(3)
    /// From `quit` to SIGKILL.
    package static let vmmStop = Duration.seconds(5)
    /// How long console input waits for a guest that does not read, and how often it looks.
    package static let consoleInput = Duration.seconds(5)
    package static let consoleInputPoll = Duration.milliseconds(20)
    package static let recordBytesMax = 1 << 20
    /// Less free space than this in the state folder is worth a word.
    package static let diskFreeMin: UInt64 = 256 << 20
    /// Finished migrations that are remembered.
    package static let finishedMigrationsMax = 256
    /// Addresses of other hosts that are remembered.
    package static let peersMax = 4096
    package static let peersBytesMax = 4 << 20
    package static let outgoingMigrationsMax = 8
    package static let incomingMigrationsMax = 8
    /// Between questions to a destination that does not answer: from, to.
    package static let settlePauses = (first: Duration.seconds(1), last: Duration.seconds(30))
    /// What a controller may want between two reports.
    package static let reportIntervalsMs = 100...600_000
    /// Between attempts when no controller answers: from, to.
    package static let reportPauses = (first: Duration.milliseconds(250), last: Duration.seconds(5))
    /// Between reports, however much happens.
    package static let newsPause = Duration.milliseconds(300)
    /// The load is measured over no less time than this.
    package static let loadWindow = Duration.seconds(1)
    /// Migrations that are over, in one report; more follow in the next.
    package static let reportedMigrationsMax = 32
    /// How long a controller may have for its answer.
    package static let reportTimeouts = (
        least: Duration.milliseconds(500), most: Duration.seconds(3)
    )
    /// A lease that is granted for longer is taken for this long.
    package static let leaseMsMax = 1_800_000
    /// How long a shutdown waits for migrations that can no longer be cancelled.
    package static let shutdown = Duration.seconds(30)
}
