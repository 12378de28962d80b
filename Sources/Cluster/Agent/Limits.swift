// Every bound of the agent: how many, how large, how much. Waits and pauses are in Timing.swift.

/// Bounds of the agent.
package enum Limits {
    package static let vmsMax = 1024
    /// Simultaneous connections to the API.
    package static let connectionsMax = 256
    package static let recordBytesMax = 1 << 20
    /// The consistency check reports less free space than this in the state folder.
    package static let diskFreeMin: UInt64 = 256 << 20
    /// Finished migrations in the history.
    package static let finishedMigrationsMax = 256
    /// Addresses of other hosts in the peer directory.
    package static let peersMax = 4096
    package static let peersBytesMax = 4 << 20
    package static let outgoingMigrationsMax = 8
    package static let incomingMigrationsMax = 8
    /// The range in which a controller may set the time between two reports.
    package static let reportIntervalsMs = 100...600_000
    /// Finished migrations in one report; the next reports carry the others.
    package static let reportedMigrationsMax = 32
    /// A lease that is granted for longer counts as this long.
    package static let leaseMsMax = 1_800_000
}
