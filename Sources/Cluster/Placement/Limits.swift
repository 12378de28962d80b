// Every bound of the scheduler's loops and tables.

/// Bounds of placement, balance and drain.
package enum Limits {
    package static let hostsMax = 1 << 20
    package static let vmsMax = 1 << 24

    /// Entries of a block of the host index before it is split.
    static let blockEntriesMax = 256
    /// Levels of free vCPUs in the index of best fit.
    static let roomLevels = 64
    /// Hosts drawn for each one wanted before a policy that draws walks on in host order.
    static let drawsPerHost = 16

    /// Rounds of pre-copy that the cost model follows.
    static let roundsMax = 30

    /// Hottest and coolest hosts, by each measure, that balance looks at first.
    static let balanceHosts = 8
    /// How much wider it looks each time it has found nothing.
    static let balanceWidening = 8
    /// Pairs of VM and host judged for one move before balance stops widening.
    static let balancePairsMax = 1 << 28

    /// Sorts of VMs whose lifetimes are learnt apart: about 10 MB of tables.
    static let lifetimeSortsMax = 1 << 14

    /// Hosts that consolidation tries in vain before a plan ends.
    static let consolidationFailuresMax = 64

    /// VMs that leave a host to make room for one.
    static let makeRoomVMsMax = 3
    /// Hosts tried, the roomiest first, when room must be made.
    static let makeRoomHostsMax = 64
    /// Hosts tried in all in one drain plan.
    static let roomTriesMax = 512
    /// Hosts that a maintenance group passes over because they cannot be emptied too.
    static let groupFailuresMax = 8
    /// Detours through a spare host in one plan.
    static let detoursMax = 1024
}
