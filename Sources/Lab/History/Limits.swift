// Every bound of recorded histories.

package enum Limits {
    static let lineBytesMax = 4 << 20
    /// VMs whose load stands in one line; the next line has the rest.
    static let readingsPerLineMax = 1000
    static let hostsMax = 1 << 16
    static let groupsMax = 1 << 16
    /// VMs in one file, those that are gone among them. With it and the largest guest, no sum of promises overflows.
    static let vmsMax = 1 << 18
    static let vmMemoryBytesMax = Int64(1) << 43
    static let vcpusMax = 4096
    static let hostCoresMax = 1 << 20
    static let hostBytesMax = Int64(1) << 52
    static let overcommitMax = 1000.0
    /// Lines that say something else than load.
    static let changesMax = 1 << 24
    /// Readings of VMs and hosts: 24 bytes each in memory.
    static let readingsMax = 1 << 26
    /// Labels, features or groups of one thing.
    static let namesMax = 4096
    static let nameBytesMax = 4096
    /// Milliseconds: of about ten years.
    static let timeMax = Int64(10 * 366 * 86400) * 1000
    /// Moves that were written and may be told of again.
    static let movesRememberedMax = 8192
    /// Samples of utilisation in a workload; above it their distance is doubled.
    static let samplesMax = 1 << 24
    /// Moments at which the recorded course is looked at.
    static let courseSamples = 512
    /// Rows of its heat map.
    static let heatRowsMax = 64
    /// Moves of a VM while it stands in the cluster.
    static let movesOfVMMax = 1 << 16
}
