// The figures of a run that is over.

import Placement

extension Run {
    consuming func makeResult() -> RunResult {
        meters.accountAllHosts(at: end)
        for row in requestOfVM.indices where requestOfVM[row] >= 0 {
            counts.running += 1
            recordDowntime(of: row)
        }
        fillHostFigures()
        fillLoadFigures()
        fillMoveFigures()
        counts.course = course.samples
        counts.heat = course.heat
        counts.notes = scenario.workload.notes + notes
        return counts
    }

    private var seconds: Double { Double(end) / 1e9 }

    /// Averaged over the run; of a run without length nothing can be averaged.
    private func averageOverRun(integral: Double) -> Double { end > 0 ? integral / seconds : 0 }

    private mutating func fillHostFigures() {
        counts.hostsInUseMax = Bounded(
            Double(integrals.most), bound: keepsLimits ? Double(integrals.floorAtMost) : nil)
        counts.hostsInUseMean = Bounded(
            averageOverRun(integral: integrals.hostsInUse),
            bound: keepsLimits ? averageOverRun(integral: integrals.floor) : nil)
        counts.emptyHostsMean = Double(counts.hosts) - counts.hostsInUseMean.value
        let limits = cluster.allHosts.reduce(Resources.none) { $0 + cluster.resourceLimit(of: $1) }
        counts.cpuStranded =
            averageOverRun(integral: integrals.strandedMilliCPUs) / Double(max(1, limits.milliCPUs))
        counts.memoryStranded =
            averageOverRun(integral: integrals.strandedBytes) / Double(max(1, limits.memoryBytes))
    }

    private mutating func fillLoadFigures() {
        counts.imbalanceMean = course.imbalanceMean
        counts.overloadedShare =
            meters.secondsInUse > 0 ? meters.secondsOverloaded / meters.secondsInUse : 0
        counts.cpuShortfall =
            meters.coreSecondsAsked > 0 ? meters.coreSecondsLacking / meters.coreSecondsAsked : 0
        let least = Self.kilowattHours(fromJoules: integrals.joules * (1 - Self.rounding))
        counts.energyKWh = Bounded(
            Self.kilowattHours(fromJoules: meters.joules), bound: keepsLimits ? least : nil)
    }

    /// Sums of many numbers may be wrong by their rounding: by so much the bound is lowered.
    private static let rounding = 1e-9

    private static func kilowattHours(fromJoules joules: Double) -> Double { joules / 3.6e6 }

    private mutating func fillMoveFigures() {
        counts.migrationsUnfinished = moves.underWay.count
        counts.downtimeMs = downtimes.distribution
        counts.downtimePerVMMs = downtimesOfVMs.distribution
        counts.waitSecondsMean =
            counts.vmsThatWaited > 0 ? waitSeconds / Double(counts.vmsThatWaited) : 0
        // A drain that the end of the run cut off is no success.
        counts.drainsIncomplete += drains.count
        let complete = counts.drains - counts.drainsIncomplete
        counts.drainSecondsMean = complete > 0 ? drainSeconds / Double(complete) : 0
    }

    private var notes: [String] {
        var notes: [String] = []
        if unkeptPlaces > 0 {
            notes.append(
                "\(unkeptPlaces) VMs did not fit on the host where they stood at the start; the policy placed them"
            )
        }
        if idleHostEvents > 0 {
            notes.append("\(idleHostEvents) failures or drains found their host away already")
        }
        return notes
    }
}
