// What the cluster did, in the figures of a run: counted and measured, not modelled.
//
// Energy, work left undone and bounds are no part of a record: a run of `recordedStrategy` has them. Loads are those of
// the VMs, and of hosts their mean beside them, as in every run of this history.

import Model
import Placement
package import Simulation

extension History {
    package var recordedResult: RunResult {
        var result = RunResult(
            strategy: "recorded", workload: name, seed: 0, hosts: hosts.count,
            seconds: duration.seconds)
        result.requests = stays.count
        result.refused = stays.reduce(0) { $0 + ($1.host == nil ? 1 : 0) }
        result.placed = result.requests - result.refused
        countHostsInUse(&result)
        countMigrations(&result)
        countHosts(&result)
        var course = RecordedCourse(self)
        course.follow(&result)
        result.notes =
            notes + [
                "measured, not modelled: energy, work left undone and bounds are no part of a record"
            ]
        return result
    }

    private func countHostsInUse(_ result: inout RunResult) {
        var changes: [(t: Int64, host: Int, step: Int)] = []
        for stay in stays {
            for (host, from, to) in places(of: stay) {
                changes.append((from, host, 1))
                changes.append((to, host, -1))
            }
        }
        // Who leaves and who comes at one moment are not there together.
        changes.sort { ($0.t, $0.step, $0.host) < ($1.t, $1.step, $1.host) }
        var vms = [Int](repeating: 0, count: hosts.count)
        var (inUse, most, area, since) = (0, 0, 0.0, Int64(0))
        for change in changes {
            area += Double(inUse) * Double(change.t - since)
            since = change.t
            let before = vms[change.host] > 0
            vms[change.host] += change.step
            inUse += (vms[change.host] > 0 ? 1 : 0) - (before ? 1 : 0)
            most = max(most, inUse)
        }
        area += Double(inUse) * Double(max(0, end - since))
        result.hostsInUseMax = Bounded(Double(most))
        result.hostsInUseMean = Bounded(end > 0 ? area / Double(end) : Double(most))
        result.emptyHostsMean = Double(hosts.count) - result.hostsInUseMean.value
    }

    private func countMigrations(_ result: inout RunResult) {
        result.migrations = stays.reduce(0) { $0 + $1.moves.count }
        var (downtimes, ofVMs) = (DistributionCounter(), DistributionCounter())
        var sums = [Double](repeating: 0, count: vms.count)
        for entry in moves {
            let move = entry.move
            guard move.outcome == .done else {
                result.migrationsDropped += 1
                continue
            }
            result.migrationBytes += Double(move.bytes ?? 0)
            result.migrationSeconds += move.seconds ?? 0
            guard let downtime = move.downtimeMs else { continue }
            downtimes.add(downtime)
            guard let vm = entry.vm else { continue }
            sums[vm] += downtime
            if downtime > vms[vm].downtimeLimitMs { result.downtimeLimitExceeded += 1 }
        }
        for sum in sums where sum > 0 { ofVMs.add(sum) }
        result.downtimeMs = downtimes.distribution
        result.downtimePerVMMs = ofVMs.distribution
    }

    private func countHosts(_ result: inout RunResult) {
        var drainSeconds = 0.0
        for host in hosts.indices {
            for absence in absences(of: host) where absence.why == .failed {
                result.hostFailures += 1
                result.vmsLostToFailures += stays.reduce(0) {
                    $0 + ($1.end == nil ? 0 : isLost($1, to: host, in: absence) ? 1 : 0)
                }
            }
            var began: Int64?
            for change in hostChanges[host] {
                if change.state == .draining {
                    began = began ?? change.t
                } else if let begin = began {
                    result.drains += 1
                    if change.state == .maintenance {
                        drainSeconds += Double(change.t - begin) / 1000
                    } else {
                        result.drainsIncomplete += 1
                    }
                    began = nil
                }
            }
        }
        let complete = result.drains - result.drainsIncomplete
        result.drainSecondsMean = complete > 0 ? drainSeconds / Double(complete) : 0
    }

    private func isLost(_ stay: Stay, to host: Int, in absence: Absence) -> Bool {
        guard let end = stay.end, stay.host(at: end) == host else { return false }
        return absence.begin <= end && end <= absence.end ?? .max
    }
}

/// The cluster at equal steps of time.
private struct RecordedCourse {
    private let history: History
    private let step: Int64
    private let hosts: [PlacementHost]
    /// Hosts alone, each with all its load as its own: what the figure of imbalance is taken from.
    private var cluster = ClusterState()
    /// Stays under way.
    private var active: [Int] = []
    private var nextStay = 0
    private var refused = 0
    /// When moves ended, ascending, and how many have.
    private let moveEnds: [Int64]
    private var movesEnded = 0

    init(_ history: History) {
        self.history = history
        let steps = Int64(Limits.courseSamples)
        step = max(1000, (history.end + steps - 1) / steps)
        hosts = history.placementHosts
        moveEnds = history.stays.flatMap { $0.moves.map(\.end) }.sorted()
        for host in hosts {
            do { try cluster.add(host) } catch {
                fatalError("a checked host is refused by the scheduler: \(error)")
            }
        }
    }

    mutating func follow(_ result: inout RunResult) {
        var heat = HeatMap()
        heat.hostsPerRow = max(1, (hosts.count + Limits.heatRowsMax - 1) / Limits.heatRowsMax)
        heat.secondsPerColumn = Double(step) / 1000
        heat.rows = Array(
            repeating: [], count: (hosts.count + heat.hostsPerRow - 1) / heat.hostsPerRow)
        var overloaded = 0
        var inUse = 0
        var t: Int64 = 0
        repeat {
            let look = look(at: t)
            result.course.append(look.sample)
            result.imbalanceMean += look.sample.imbalance
            overloaded += look.overloaded
            inUse += look.sample.hostsInUse
            for row in heat.rows.indices { heat.rows[row].append(look.heat(row, heat.hostsPerRow)) }
            t += step
        } while t < history.end
        result.imbalanceMean /= Double(result.course.count)
        result.overloadedShare = inUse > 0 ? Double(overloaded) / Double(inUse) : 0
        result.heat = heat
    }

    private struct Look {
        var sample: CourseSample
        var overloaded = 0
        /// Share of cores in use; -1: the host was not there, or silent.
        var shares: [Float]

        func heat(_ row: Int, _ hostsPerRow: Int) -> Float {
            let hosts = shares[row * hostsPerRow..<min((row + 1) * hostsPerRow, shares.count)]
            let awake = hosts.filter { $0 >= 0 }
            return awake.isEmpty ? -1 : awake.reduce(0, +) / Float(awake.count)
        }
    }

    private mutating func look(at t: Int64) -> Look {
        follow(to: t)
        var load = hosts.map(\.ownUse)
        var promised = [Resources](repeating: .none, count: hosts.count)
        var vms = [Int](repeating: 0, count: hosts.count)
        for stay in active.map({ history.stays[$0] }) {
            guard let host = stay.host(at: t) else { continue }
            let vm = history.vms[stay.vm]
            let readings = history.readings[stay.vm]
            // What was read first held before, for want of better.
            let reading = readings.last(upTo: t) ?? readings.first
            load[host].cores += Double(reading?.cores ?? 0)
            load[host].memoryBytes += Double(reading?.memoryBytes ?? 0)
            promised[host] =
                promised[host]
                + Resources(milliCPUs: vm.vcpus * 1000, memoryBytes: Int(vm.memoryBytes))
            vms[host] += 1
        }
        return look(at: t, load, promised, vms)
    }

    private mutating func follow(to t: Int64) {
        while nextStay < history.stays.count, history.stays[nextStay].begin <= t {
            if history.stays[nextStay].host == nil {
                refused += 1
            } else {
                active.append(nextStay)
            }
            nextStay += 1
        }
        while movesEnded < moveEnds.count, moveEnds[movesEnded] <= t { movesEnded += 1 }
        active.removeAll { history.stays[$0].end.map { $0 <= t } ?? false }
    }

    private mutating func look(
        at t: Int64, _ load: [MeasuredUse], _ promised: [Resources], _ vms: [Int]
    ) -> Look {
        var sample = CourseSample(seconds: Double(t) / 1000)
        var look = Look(sample: sample, shares: [])
        var (cores, busy) = (0.0, 0.0)
        var (limit, used) = (Resources.none, Resources.none)
        for (host, description) in hosts.enumerated() {
            let isAwake =
                history.change(of: host, at: t)?.isThere ?? false
                && !history.isSilent(host, at: t)
            let own = Double(description.capacity.milliCPUs) / 1000
            let share = load[host].cores / own
            look.shares.append(isAwake ? Float(min(share, 1)) : -1)
            setLoad(load[host], of: host)
            sample.vms += vms[host]
            guard isAwake else { continue }
            sample.hostsAwake += 1
            cores += own
            busy += min(load[host].cores, own)
            limit = limit + description.limit
            used = used + promised[host]
            guard vms[host] > 0 else { continue }
            sample.hostsInUse += 1
            sample.cpuUsedMax = max(sample.cpuUsedMax, share)
            if share > 1 { look.overloaded += 1 }
        }
        sample.cpuUsed = cores > 0 ? busy / cores : 0
        sample.cpuPromised = Double(used.milliCPUs) / Double(max(limit.milliCPUs, 1))
        sample.memoryPromised = Double(used.memoryBytes) / Double(max(limit.memoryBytes, 1))
        sample.imbalance = LoadSpread(of: cluster) { vms[$0] > 0 }.score
        sample.migrations = movesEnded
        sample.refused = refused
        look.sample = sample
        return look
    }

    private mutating func setLoad(_ load: MeasuredUse, of host: Int) {
        let use = MeasuredUse(
            cores: min(load.cores, 0x1p32), memoryBytes: min(load.memoryBytes, 0x1p52))
        do { try cluster.setOwnUse(use, of: host) } catch {
            fatalError("a checked load is refused by the scheduler: \(error)")
        }
    }
}
