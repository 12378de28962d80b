// What the experiment ends with: the published columns, and what they leave out. Equal runs give equal values.

/// One mode's figures.
package struct PlanetLabFigures: Hashable, Sendable, Codable {
    /// A mode's name, or what rules of one's own were called.
    package var mode: String
    package var energyKWh: Double
    /// No policy can serve the same demand with less: every MIPS at the best host's best watts per MIPS.
    package var energyBoundKWh: Double
    /// The same where memory is enforced: as many hosts must be on as the VMs' memory fills. Nil where it is not.
    package var energyBoundWithMemoryKWh: Double?
    package var migrations: Int
    /// SLATAH × PDM. Shares, here and below: 0.01 is 1 %.
    package var slaViolation: Double
    /// CPU work not done because of migrations, as a share of all asked for (PDM).
    package var degradationByMigration: Double
    /// Share of the time that hosts were active in which they were short of CPU (SLATAH).
    package var violationTimeOfActiveHosts: Double
    /// CPU work asked for and not given, as a share.
    package var overallViolation: Double
    /// The mean, over all intervals in which a VM got too little, of the share that it missed.
    package var averageViolation: Double
    package var hostShutdowns: Int
    /// Seconds that a host had been on; nil where none was shut down.
    package var secondsBeforeShutdown: MeanAndSpread?
    /// Seconds from a migration's begin to its end, under the column's published name; nil where there was none.
    package var secondsBeforeMigration: MeanAndSpread?
    /// VMs deleted because they were idle.
    package var vmsDeleted: Int
    /// Pauses of migrated VMs; nil where the mode has none.
    package var downtime: Downtime?
    package var bytesMigrated: Double?
    /// Most hosts with VMs on them at one decision round, and their mean.
    package var hostsInUseMax: Int
    package var hostsInUseMean: Double
    /// What to know when reading these figures, one sentence each.
    package var notes: [String]
}

package struct MeanAndSpread: Hashable, Sendable, Codable {
    package var mean: Double
    /// Of a sample; nil where it is of one.
    package var standardDeviation: Double?
}

package struct Downtime: Hashable, Sendable, Codable {
    package var totalSeconds = 0.0
    package var meanMilliseconds = 0.0
    package var maxMilliseconds = 0.0
}

package struct PlanetLabResult: Hashable, Sendable, Codable {
    package var day: String
    package var policy: String
    package var vms: Int
    package var hosts: Int
    /// In the order of the modes asked for.
    package var runs: [PlanetLabFigures]
}
