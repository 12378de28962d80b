// The course of a run: what a chart shows, taken at equal distances of time. One pass over the hosts a sample.

import Placement

struct CourseRecorder {
    private(set) var samples: [CourseSample] = []
    private(set) var heat = HeatMap()
    private var imbalanceSum = 0.0
    private let samplesMax: Int

    init(_ cluster: ClusterState, rowsMax: Int, sampling: Sampling) {
        samplesMax = sampling.courseSamplesMax
        let hosts = cluster.hosts.count
        heat.hostsPerRow = (hosts + rowsMax - 1) / rowsMax
        heat.secondsPerColumn = Double(sampling.courseInterval) / 1e9
        heat.rows = Array(
            repeating: [], count: (hosts + heat.hostsPerRow - 1) / heat.hostsPerRow)
    }

    var imbalanceMean: Double { samples.isEmpty ? 0 : imbalanceSum / Double(samples.count) }

    mutating func recordSample(
        of cluster: ClusterState, measuredBy meters: Meters, start: CourseSample
    ) {
        guard samples.count < samplesMax else { return }
        var sample = start
        sample.hostsInUse = meters.hostsInUse
        var sums = ClusterSums()
        var imbalance = Imbalance()
        for host in cluster.allHosts {
            let row = meters.rows[host]
            sample.watts += row.watts
            let share = cluster.loadShare(of: host)
            if row.isInUse {
                imbalance.accumulateHost(capacity: cluster.hosts[host].capacity, share: share)
            }
            guard row.power == .on else { continue }
            sample.hostsAwake += 1
            sums.accumulateHost(from: cluster, at: host, row: row)
            sample.cpuUsedMax = max(sample.cpuUsedMax, share.cpu)
        }
        sums.fillMeans(of: &sample)
        sample.imbalance = imbalance.figure
        imbalanceSum += sample.imbalance
        samples.append(sample)
        addColumn(from: meters)
    }

    private mutating func addColumn(from meters: Meters) {
        for row in heat.rows.indices {
            let first = row * heat.hostsPerRow
            var (sum, awake) = (0.0, 0)
            for meter in meters.rows[first..<min(first + heat.hostsPerRow, meters.rows.count)]
            where meter.power == .on {
                sum += meter.busy / meter.cores
                awake += 1
            }
            heat.rows[row].append(awake > 0 ? Float(sum / Double(awake)) : -1)
        }
    }
}

/// Sums over hosts with power.
private struct ClusterSums {
    private var used = Resources.none
    private var limit = Resources.none
    private var busy = 0.0
    private var cores = 0.0

    mutating func accumulateHost(from cluster: ClusterState, at host: HostIndex, row: HostMeter) {
        used = used + cluster.usedResources(on: host)
        limit = limit + cluster.resourceLimit(of: host)
        busy += row.busy
        cores += row.cores
    }

    func fillMeans(of sample: inout CourseSample) {
        sample.cpuPromised = Double(used.milliCPUs) / Double(max(1, limit.milliCPUs))
        sample.memoryPromised = Double(used.memoryBytes) / Double(max(1, limit.memoryBytes))
        sample.cpuUsed = cores > 0 ? busy / cores : 0
    }
}

/// The controller's figure (Placement's `LoadSpread`) without the tables that moves need: for CPU and memory, half the
/// standard deviation of hosts' shares in use, weighted by capacity. Shares are taken relative to the first host's, so
/// that little is lost when they are squared.
struct Imbalance {
    private struct Moments {
        private var origin: Double?
        private var weight = 0.0
        private var sum = 0.0
        private var squares = 0.0

        mutating func accumulate(share: Double, weight: Double) {
            let from = origin ?? share
            origin = from
            self.weight += weight
            sum += weight * (share - from)
            squares += weight * (share - from) * (share - from)
        }

        var deviation: Double {
            guard weight > 0 else { return 0 }
            let mean = sum / weight
            return max(0, squares / weight - mean * mean).squareRoot()
        }
    }

    private var cpu = Moments()
    private var memory = Moments()

    mutating func accumulateHost(capacity: Resources, share: (cpu: Double, memory: Double)) {
        cpu.accumulate(share: share.cpu, weight: Double(capacity.milliCPUs))
        memory.accumulate(share: share.memory, weight: Double(capacity.memoryBytes))
    }

    var figure: Double { 0.5 * cpu.deviation + 0.5 * memory.deviation }
}

extension Run {
    mutating func recordCourseSample() {
        var sample = CourseSample(seconds: moment.seconds)
        sample.vms = cluster.vmCount
        sample.hostsInUseBound = floor.hosts
        sample.migrations = counts.migrations
        sample.refused = counts.refused
        course.recordSample(of: cluster, measuredBy: meters, start: sample)
    }
}
