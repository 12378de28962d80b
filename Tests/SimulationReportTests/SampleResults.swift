// Results as runs give them, made up so that each figure is known.

import Simulation
import SimulationReport

extension Sweep {
    static func sample(
        policies: [String] = ["best-fit", "worst-fit"], seeds: [UInt64] = [1, 2, 3],
        variants: [String] = [""]
    ) -> Sweep {
        Sweep(
            workload: "sample", fingerprint: "00000000000000ff",
            policies: policies.map { Sweep.Policy($0, summary: "\($0) in one sentence") },
            seeds: seeds,
            variants: variants, settings: [Setting("hosts", value: "8")])
    }
}

extension RunResult {
    /// Every cell has other figures, and the same cell always the same.
    static func sample(_ sweep: Sweep, _ index: Int) -> RunResult {
        let cell = sweep.gridCell(at: index)
        let policy = Double(cell.policy)
        var result = RunResult(
            strategy: sweep.policies[cell.policy].name, workload: sweep.workload,
            seed: sweep.seeds[cell.seed], hosts: 8, seconds: 86_400)
        result.requests = 1000
        result.placed = 990 - index
        result.refused = 10 + index
        result.hostsInUseMax = Bounded(Double(6 + cell.policy), bound: 5)
        result.hostsInUseMean = Bounded(4.25 + policy + Double(index) / 10, bound: 4)
        result.energyKWh = Bounded(91.5 + 3 * policy + Double(index), bound: 70.25)
        result.migrations = 40 * cell.policy
        if cell.policy > 0 { result.downtimeMs = .sample }
        result.course = (0..<24).map { .sample(hour: $0, policy: cell.policy) }
        result.heat.secondsPerColumn = 3600
        result.heat.rows = (0..<8).map { row in
            (0..<24).map { $0 % 8 == row ? -1 : Float(row * $0) / 200 }
        }
        result.notes = ["The sample is made up."]
        return result
    }

    static func samples(_ sweep: Sweep) -> [RunResult] {
        (0..<sweep.cellCount).map { sample(sweep, $0) }
    }
}

extension Distribution {
    fileprivate static var sample: Distribution {
        var sample = Distribution()
        (sample.count, sample.sum, sample.min, sample.max) = (40, 1200, 8, 210)
        (sample.p50, sample.p90, sample.p99) = (22, 80, 200)
        sample.edges = [10, 20, 50, 100, 200]
        sample.counts = [4, 12, 16, 5, 2, 1]
        return sample
    }
}

extension CourseSample {
    fileprivate static func sample(hour: Int, policy: Int) -> CourseSample {
        var sample = CourseSample(seconds: Double(hour) * 3600)
        sample.vms = 100 + hour
        sample.hostsInUse = 3 + policy + (hour + 6) % 24 / 8
        sample.hostsInUseBound = 2 + (hour + 6) % 24 / 8
        sample.hostsAwake = 8
        sample.cpuUsed = 0.2 + Double(hour) / 100
        sample.cpuUsedMax = 0.5 + Double(hour) / 100
        sample.watts = 2000 + 10 * Double(hour)
        sample.migrations = policy * hour
        return sample
    }
}
