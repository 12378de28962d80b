// What a run ends with: figures for tables, a course over time for charts. Equal runs give equal values, bit for bit.

/// A figure and the best that any policy could have reached.
package struct Bounded: Hashable, Sendable, Codable {
    package var value: Double
    /// No policy can be below; nil: no bound is known for this run.
    package var bound: Double?

    package init(_ value: Double, bound: Double? = nil) {
        self.value = value
        self.bound = bound
    }
}

/// Counts over equal steps of a logarithm: for downtimes, whose spread matters more than their mean.
package struct Distribution: Hashable, Sendable, Codable {
    package var count = 0
    package var sum = 0.0
    package var min = 0.0
    package var max = 0.0
    package var p50 = 0.0
    package var p90 = 0.0
    package var p99 = 0.0
    /// Upper edges of `counts`, ascending; the last count is of what lies above.
    package var edges: [Double] = []
    package var counts: [Int] = []

    package init() {}
}

/// The cluster at one moment.
package struct CourseSample: Hashable, Sendable, Codable {
    package var seconds: Double
    package var vms: Int
    package var hostsInUse: Int
    /// No placement of the VMs that run needs fewer; 0: not known.
    package var hostsInUseBound = 0
    package var hostsAwake: Int
    /// Shares of what awake hosts have: promised, and in use.
    package var cpuPromised: Double
    package var memoryPromised: Double
    package var cpuUsed: Double
    /// The busiest host's share of its cores.
    package var cpuUsedMax: Double
    /// The controller's figure of imbalance over hosts in use.
    package var imbalance: Double
    package var watts: Double
    /// Since the run began.
    package var migrations: Int
    package var refused: Int

    package init(seconds: Double) {
        self.seconds = seconds
        (vms, hostsInUse, hostsAwake, migrations, refused) = (0, 0, 0, 0, 0)
        (cpuPromised, memoryPromised, cpuUsed, cpuUsedMax, imbalance, watts) = (0, 0, 0, 0, 0, 0)
    }
}

/// Load of hosts over time: rows of hosts (or of groups of neighbours), columns of time.
package struct HeatMap: Hashable, Sendable, Codable {
    package var hostsPerRow = 1
    package var secondsPerColumn = 0.0
    /// Mean share of cores in use; a host that sleeps is -1.
    package var rows: [[Float]] = []

    package init() {}
}

package struct RunResult: Hashable, Sendable, Codable {
    package var strategy: String
    package var workload: String
    package var seed: UInt64
    package var hosts: Int
    package var seconds: Double

    // Placement
    package var requests = 0
    package var placed = 0
    package var refused = 0
    /// Asked for once more because their host failed: requests + askedAgain = placed + refused.
    package var askedAgain = 0
    /// placed = departed + running + vmsLostToFailures.
    package var departed = 0
    /// At the end.
    package var running = 0
    /// Promised shares of all hosts' CPU and memory when the first VM was refused; nil: none was.
    package var cpuShareAtFirstRefusal: Double?
    package var memoryShareAtFirstRefusal: Double?
    /// Most hosts in use at once, beside the bound for that moment's VMs.
    package var hostsInUseMax = Bounded(0)
    /// Hosts in use, averaged over time, beside the mean of the bounds.
    package var hostsInUseMean = Bounded(0)
    /// Free CPU on hosts that have no memory left for the smallest VM of the trace, and the other way round: shares of all,
    /// averaged over time.
    package var cpuStranded = 0.0
    package var memoryStranded = 0.0
    package var emptyHostsMean = 0.0

    // Load
    package var imbalanceMean = 0.0
    /// Share of host-time in use with more CPU asked for than there is.
    package var overloadedShare = 0.0
    /// CPU work that was asked for and not given, as a share.
    package var cpuShortfall = 0.0
    package var energyKWh = Bounded(0)

    // Moves
    package var migrations = 0
    /// Planned, and never begun: no room any more, or their VM had left its place.
    package var migrationsDropped = 0
    /// Begun, and ended by the VM's departure or a host's failure.
    package var migrationsAbandoned = 0
    /// Under way when the run ended.
    package var migrationsUnfinished = 0
    package var migrationBytes = 0.0
    package var migrationSeconds = 0.0
    package var downtimeMs = Distribution()
    /// Sum of downtimes, for each VM that was moved at least once.
    package var downtimePerVMMs = Distribution()
    package var downtimeLimitExceeded = 0

    // Hosts
    package var sleeps = 0
    package var wakes = 0
    /// VMs for which a host had to be woken, and how long they waited for it on average.
    package var vmsThatWaited = 0
    package var waitSecondsMean = 0.0
    package var hostFailures = 0
    package var vmsLostToFailures = 0
    package var drains = 0
    package var drainsIncomplete = 0
    package var drainSecondsMean = 0.0

    package var course: [CourseSample] = []
    package var heat = HeatMap()
    /// Of the workload, and of the run itself: what to know when reading the figures.
    package var notes: [String] = []

    package init(strategy: String, workload: String, seed: UInt64, hosts: Int, seconds: Double) {
        self.strategy = strategy
        self.workload = workload
        self.seed = seed
        self.hosts = hosts
        self.seconds = seconds
    }
}
