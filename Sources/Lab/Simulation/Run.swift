// A run: events in the order of time until the workload ends.
//
//   arrivals (the workload's order) ──┐
//   departures (sorted once) ─────────┼──▶ the earliest, by (time, rank, sequence) ──▶ Run
//   what the run set going (a heap) ──┘
//
// At one moment departures come first, then ends of moves and absences, host events, plans of drains, arrivals, readings of
// utilisation, and rounds of the move policy last. Nothing here knows a wall clock, draws a lot, or walks a dictionary: the same
// scenario gives the same result, bit for bit, whatever else runs beside it.

import Placement

extension Scenario {
    /// - Parameter progress: told now and then how far the run has come; false ends it.
    package func runSimulation(
        progress: (RunProgress) -> Bool = { _ in true }
    ) throws(SimulationError) -> RunResult {
        try validate()
        var run = try Run(self)
        try run.runUntilEnd(progress: progress)
        return run.makeResult()
    }
}

struct Run: ~Copyable {
    let scenario: Scenario
    let requests: [VMRequest]
    let policy: any PlacementPolicy
    let end: Int64

    var cluster: ClusterState
    var movePolicy: (any MovePolicy)?
    var observer: (any RunObserver)?
    var queue = EventQueue()
    private(set) var now: Int64 = 0

    // Arrivals and departures
    private var nextArrival = 0
    private let departures: [Int32]
    private var nextDeparture = 0
    /// The VM row of each request; -1: it does not run.
    var vmOfRequest: [Int32]
    /// The request of each VM row; -1: the row is free.
    var requestOfVM: [Int32] = []
    /// When each VM's utilisation is another than it was read.
    var useChanges: [Int64] = []
    /// Milliseconds that each VM stood still while it was moved.
    var downtimeOfVM: [Float] = []

    // Hosts
    var meters: Meters
    var floor: HostFloor
    let energyFloor: EnergyFloor
    /// Counts a host's changes of state: what was set going before the last one no longer happens.
    var hostVersion: [Int32]
    var asleep: [HostIndex] = []
    var waking: [(host: HostIndex, awakeAt: Int64)] = []
    var drains: [Drain] = []

    var moves: MigrationTable
    var integrals = Integrals()
    var counts: RunResult
    var downtimes = DistributionCounter()
    var downtimesOfVMs = DistributionCounter()
    var waitSeconds = 0.0
    var drainSeconds = 0.0
    var rounds = 0
    /// When the last moves' ages were brought up to date.
    var agedAt: Int64 = 0
    /// False when a policy that dictates has promised more than a host has: the bounds hold for nobody then.
    var keepsLimits = true
    /// VMs that did not fit where the workload says that they stood.
    var unkeptPlaces = 0
    /// Host events that found their host away.
    var idleHostEvents = 0
    var course: CourseRecorder
    /// Rows of `useBatch` are filled anew at each reading.
    var useBatch: [(vm: VMIndex, use: MeasuredUse)] = []
    var sampling: Sampling

    init(_ scenario: Scenario) throws(SimulationError) {
        self.scenario = scenario
        requests = scenario.workload.requests
        policy = scenario.strategy.placement
        movePolicy = scenario.strategy.moves
        observer = scenario.strategy.observer
        end = scenario.end.nanoseconds
        cluster = try scenario.emptyCluster()
        departures = scenario.departures(until: end)
        vmOfRequest = Array(repeating: -1, count: requests.count)
        meters = Meters(
            cluster, curves: scenario.power, smallest: scenario.smallestRequest,
            coresPerMove: scenario.migrationCores)
        floor = HostFloor(limits: cluster.hosts.map(\.limit), requests: requests)
        energyFloor = EnergyFloor(
            meters.rows.lazy.map { ($0.cores, scenario.power[$0.curve]) })
        hostVersion = Array(repeating: 0, count: cluster.hosts.count)
        moves = MigrationTable(hosts: cluster.hosts, limits: scenario.limits)
        sampling = Sampling(scenario, end: end)
        course = CourseRecorder(cluster, rowsMax: scenario.heatRowsMax, sampling: sampling)
        counts = RunResult(
            strategy: scenario.strategy.name, workload: scenario.workload.name,
            seed: scenario.seed, hosts: cluster.hosts.count, seconds: scenario.end.seconds)
        queueFirstEvents()
    }

    private mutating func queueFirstEvents() {
        for (number, event) in scenario.events.enumerated() {
            queue.scheduleEvent(.hostEvent(number), at: event.time.nanoseconds)
        }
        queue.scheduleEvent(.sample, at: 0)
        queueRound()
    }

    mutating func runUntilEnd(progress: (RunProgress) -> Bool) throws(SimulationError) {
        var meter = ProgressMeter(end: end, requests: requests.count)
        while let (time, rank) = next, time <= end {
            advanceClock(to: time)
            switch rank {
            case .departure: departNext()
            case .arrival: try arriveNext()
            default: try handleEvent(queue.removeFirst())
            }
            if meter.isReportDue(at: time, request: nextArrival),
                !progress(meter.currentProgress(at: time, request: nextArrival))
            {
                throw .cancelled(at: SimTime(nanoseconds: time))
            }
        }
        advanceClock(to: end)
        integrals.recordHostsInUse(count: meters.hostsInUse, floor: floor.hosts)
    }

    /// When the next thing happens, and what it is.
    private var next: (time: Int64, rank: Rank)? {
        var first = queue.first.map { ($0.time, $0.rank) }
        if nextArrival < requests.count {
            let arrival = (requests[nextArrival].arrival.nanoseconds, Rank.arrival)
            if first.map({ arrival < $0 }) ?? true { first = arrival }
        }
        if nextDeparture < departures.count {
            let request = requests[Int(departures[nextDeparture])]
            let departure = (request.departure.nanoseconds, Rank.departure)
            if first.map({ departure < $0 }) ?? true { first = departure }
        }
        return first
    }

    private mutating func arriveNext() throws(SimulationError) {
        nextArrival += 1
        try beginRequest(number: nextArrival - 1)
    }

    private mutating func departNext() {
        nextDeparture += 1
        endRequest(number: Int(departures[nextDeparture - 1]))
    }

    private mutating func advanceClock(to time: Int64) {
        guard time > now else { return }
        integrals.accumulate(
            seconds: Double(time - now) / 1e9, from: meters, floor: floor, energy: energyFloor)
        now = time
    }

    private mutating func handleEvent(_ event: Event) throws(SimulationError) {
        switch event.kind {
        case .moveEnds(let move, let version): finishMigration(number: move, version: version)
        case .wakes(let host, let version):
            if hostVersion[host] == version { finishWakeup(of: host) }
        case .returns(let host, let version):
            if hostVersion[host] == version { reactivateHost(host) }
        case .drainPlan: planDrains()
        case .hostEvent(let number): try beginHostEvent(scenario.events[number])
        case .sample: try recordSample()
        case .round: holdRound()
        }
    }
}

extension Run {
    var moment: SimTime { SimTime(nanoseconds: now) }

    /// A host's figures are taken anew.
    mutating func refreshMeter(of host: HostIndex) {
        meters.updateMeter(of: host, in: cluster, moves: moves.moveCount(at: host), at: now)
    }
}

/// What is constant between events, times how long it held.
struct Integrals {
    var hostsInUse = 0.0
    var floor = 0.0
    var strandedMilliCPUs = 0.0
    var strandedBytes = 0.0
    /// The least energy for the work that was served.
    var joules = 0.0
    /// The most hosts in use at once, and the largest bound of such moments.
    private(set) var most = 0
    private(set) var floorAtMost = 0

    mutating func accumulate(
        seconds: Double, from meters: Meters, floor: HostFloor, energy: EnergyFloor
    ) {
        hostsInUse += Double(meters.hostsInUse) * seconds
        self.floor += Double(floor.hosts) * seconds
        strandedMilliCPUs += Double(meters.stranded.milliCPUs) * seconds
        strandedBytes += Double(meters.stranded.memoryBytes) * seconds
        let watts = energy.leastWatts(servingCores: meters.served, onAtLeast: floor.hosts)
        joules += (watts + meters.wattsAsleep) * seconds
        recordHostsInUse(count: meters.hostsInUse, floor: floor.hosts)
    }

    mutating func recordHostsInUse(count: Int, floor: Int) {
        if count > most {
            (most, floorAtMost) = (count, floor)
        } else if count == most {
            floorAtMost = max(floorAtMost, floor)
        }
    }
}

/// When the one who follows a run is told: after each step of simulated time or of requests.
private struct ProgressMeter {
    private let end: Int64
    private let requests: Int
    private var nextTime: Int64
    private var nextRequest: Int

    init(end: Int64, requests: Int) {
        self.end = end
        self.requests = requests
        nextTime = end / Int64(Limits.progressSteps)
        nextRequest = requests / Limits.progressSteps
    }

    mutating func isReportDue(at time: Int64, request: Int) -> Bool {
        guard time > nextTime || request > nextRequest else { return false }
        nextTime = time + end / Int64(Limits.progressSteps)
        nextRequest = request + requests / Limits.progressSteps
        return true
    }

    func currentProgress(at time: Int64, request: Int) -> RunProgress {
        RunProgress(
            fraction: end > 0 ? Double(time) / Double(end) : 1, time: SimTime(nanoseconds: time),
            requests: request)
    }
}

// MARK: - What a run begins with

extension Scenario {
    fileprivate func emptyCluster() throws(SimulationError) -> ClusterState {
        var cluster = ClusterState(
            assumedBusyShare: assumedBusyShare, migrationOverheadBytes: migrationOverheadBytes)
        do {
            for group in workload.groups { try cluster.registerGroup(group) }
            for host in runHosts { try cluster.registerHost(host) }
        } catch { throw .badHost(error) }
        // Sums over hosts, each counted as the largest, stay far from the end of Int.
        let limits = cluster.hosts.map(\.limit)
        let most = limits.reduce(0) { max($0, $1.milliCPUs, $1.memoryBytes) }
        guard most <= (1 << 61) / limits.count else {
            throw .badScenario("\(limits.count) hosts of such a size are too much to add up")
        }
        // After the hosts: an index is built once.
        cluster.maintainIndex(for: strategy.placement)
        return cluster
    }

    /// Requests that depart within the run, in the order of their departures. One that departs as it arrives is not
    /// among them: it goes when it has come.
    fileprivate func departures(until end: Int64) -> [Int32] {
        let requests = workload.requests
        let leaving = requests.indices.filter {
            requests[$0].departure.nanoseconds <= end
                && requests[$0].departure > requests[$0].arrival
        }
        return leaving.sorted {
            let (left, right) = (requests[$0].departure, requests[$1].departure)
            return left != right ? left < right : $0 < $1
        }.map { Int32($0) }
    }

    fileprivate var smallestRequest: Resources {
        Resources(
            milliCPUs: Int(workload.requests.lazy.map(\.milliCPUs).min() ?? 0),
            memoryBytes: Int(workload.requests.lazy.map(\.memoryBytes).min() ?? 0))
    }
}
