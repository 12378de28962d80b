// What every host draws, serves and lacks, integrated over time.
//
// A host's figures change only when something happens to it; until then its load is constant, so each integral is exact:
// a figure times the time that it held. Only the host that changed is touched.

import Placement

/// Whether a host has power, beside what the scheduler knows of it.
enum HostPower: UInt8 {
    case on, asleep
    /// Draws what it draws when idle, serves nothing yet.
    case waking
    /// Draws nothing.
    case failed
}

struct HostMeter {
    let cores: Double
    /// Load that is not its VMs'.
    let ownCores: Double
    let curve: Int
    var power = HostPower.on
    var isInUse = false
    /// More CPU asked for than there is.
    var isOverloaded = false
    var since: Int64 = 0
    var watts = 0.0
    /// What its VMs ask for.
    var asked = 0.0
    /// Of that, what they do not get.
    var lacking = 0.0
    /// Cores in use, VMs' and others', at most all.
    var busy = 0.0
    var stranded = Resources.none

    var served: Double { asked - lacking }
}

struct Meters {
    private(set) var rows: [HostMeter]
    private let curves: [PowerCurve]
    /// What the smallest VM of the workload asks for, part by part.
    private let smallest: Resources
    private let coresPerMove: Double

    // Now, over all hosts
    private(set) var hostsInUse = 0
    private(set) var stranded = Resources.none
    /// Cores of VMs' work that is served.
    private(set) var served = 0.0
    /// What hosts with power would draw if all slept.
    private(set) var wattsAsleep: Double

    // So far
    private(set) var joules = 0.0
    private(set) var coreSecondsAsked = 0.0
    private(set) var coreSecondsLacking = 0.0
    private(set) var secondsInUse = 0.0
    private(set) var secondsOverloaded = 0.0

    init(
        _ cluster: ClusterState, curves: [PowerCurve], smallest: Resources, coresPerMove: Double
    ) {
        self.curves = curves
        self.smallest = smallest
        self.coresPerMove = coresPerMove
        wattsAsleep = 0
        rows = cluster.hosts.enumerated().map { index, host in
            HostMeter(
                cores: Double(host.capacity.milliCPUs) / 1000, ownCores: host.ownUse.cores,
                curve: curves.count == 1 ? 0 : index)
        }
        for host in rows.indices {
            measureLoad(of: host, in: cluster, moves: 0)
            wattsAsleep += curves[rows[host].curve].asleep
        }
    }

    /// To be called after a host's VMs, their loads, its moves or its power have changed.
    mutating func updateMeter(
        of host: HostIndex, in cluster: ClusterState, moves: Int, at now: Int64
    ) {
        addElapsedTime(of: host, at: now)
        measureLoad(of: host, in: cluster, moves: moves)
    }

    mutating func setHostPower(
        _ power: HostPower, of host: HostIndex, in cluster: ClusterState, moves: Int, at now: Int64
    ) {
        addElapsedTime(of: host, at: now)
        let asleep = curves[rows[host].curve].asleep
        if power == .failed, rows[host].power != .failed { wattsAsleep -= asleep }
        if power != .failed, rows[host].power == .failed { wattsAsleep += asleep }
        rows[host].power = power
        measureLoad(of: host, in: cluster, moves: moves)
    }

    /// Work that a VM did not do while it stood still.
    mutating func recordStandstill(cores: Double, seconds: Double) {
        coreSecondsLacking += cores * seconds
    }

    mutating func accountAllHosts(at now: Int64) {
        for host in rows.indices { addElapsedTime(of: host, at: now) }
    }

    /// Adds up what held since the host last changed.
    private mutating func addElapsedTime(of host: HostIndex, at now: Int64) {
        let row = rows[host]
        guard now > row.since else { return }
        let seconds = Double(now - row.since) / 1e9
        rows[host].since = now
        joules += row.watts * seconds
        coreSecondsAsked += row.asked * seconds
        coreSecondsLacking += row.lacking * seconds
        if row.isInUse, row.power == .on {
            secondsInUse += seconds
            if row.isOverloaded { secondsOverloaded += seconds }
        }
    }

    private mutating func measureLoad(of host: HostIndex, in cluster: ClusterState, moves: Int) {
        var row = rows[host]
        let isInUse = cluster.hostedVMCount(on: host) > 0
        hostsInUse += (isInUse ? 1 : 0) - (row.isInUse ? 1 : 0)
        served -= row.served
        stranded = stranded - row.stranded
        row.isInUse = isInUse
        row.asked =
            isInUse ? max(0, cluster.loadShare(of: host).cpu * row.cores - row.ownCores) : 0
        row.stranded = strandedRoom(in: cluster.freeResources(on: host))
        weighLoad(of: &row, moves: moves)
        served += row.served
        stranded = stranded + row.stranded
        rows[host] = row
    }

    /// Cores in use, work left undone and power, by what is asked for and whether the host has power.
    private func weighLoad(of row: inout HostMeter, moves: Int) {
        let curve = curves[row.curve]
        row.isOverloaded = false
        row.busy = 0
        row.lacking = row.asked
        switch row.power {
        case .failed: row.watts = 0
        case .asleep: row.watts = curve.asleep
        case .waking: row.watts = curve.watts[0]
        case .on:
            let load = row.asked + row.ownCores + Double(moves) * coresPerMove
            // Sums of many loads may miss the cores by their rounding.
            row.isOverloaded = load > row.cores * (1 + 1e-12)
            row.lacking = min(row.asked, max(0, load - row.cores))
            row.busy = min(load, row.cores)
            row.watts = curve.wattsDrawn(at: row.busy / row.cores)
        }
    }

    /// Free room in one dimension where the other has none left for any VM of the workload.
    private func strandedRoom(in free: Resources) -> Resources {
        Resources(
            milliCPUs: free.memoryBytes < smallest.memoryBytes ? max(0, free.milliCPUs) : 0,
            memoryBytes: free.milliCPUs < smallest.milliCPUs ? max(0, free.memoryBytes) : 0)
    }
}
