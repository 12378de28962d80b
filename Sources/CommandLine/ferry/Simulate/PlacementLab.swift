// A sweep that can be run: what the command line asked for, read and checked before anything runs.

import ClusterText
import History
import Host
import Placement
import Simulation
import SimulationReport
import Traces

struct PlacementLab: Sendable {
    let sweep: Sweep
    private let source: WorkloadSource
    private let variants: [HostVariant]
    private let events: [[HostEvent]]
    private let power: PowerCurve
    /// Names of VMs whose placement the last policy explains.
    private let explained: [String]
    private let log = DecisionLog()

    /// - Parameter variantsMax: how many the command can show.
    init(
        workload: WorkloadOptions, hosts: HostOptions, policies: [String], seeds: [UInt64],
        variantsMax: Int = SimulationLimits.variantsMax, explaining explained: [String] = []
    ) throws {
        self.explained = explained
        try Self.checkPolicies(named: policies)
        if workload.whatIf != nil, !hosts.hosts.isEmpty || hosts.hostShape != nil {
            throw CommandFailure(
                .refused, code: "bad_input",
                message:
                    "a history is of its own hosts: leave --hosts and --host-shape out with --what-if"
            )
        }
        source = try WorkloadSource(from: workload)
        let first = try source.makeWorkload(seed: seeds[0])
        let described = try HostVariants(options: hosts, for: first) { [source] in
            try source.peakDemand(seeds: seeds)
        }
        variants = described.variants
        guard variants.count <= variantsMax else {
            throw CommandFailure(
                .refused, code: "bad_input",
                message:
                    "a run has one list of hosts and one overcommit: `ferry simulate compare` takes several"
            )
        }
        power = try hosts.powerCurve()
        events = try variants.map { try hosts.hostEvents(on: $0.hosts) }
        sweep = Sweep(
            workload: source.displayName(of: first), fingerprint: first.fingerprint,
            policies: try Self.sweepPolicies(named: policies, source: source), seeds: seeds,
            variants: variants.map(\.name),
            settings: Self.sweepSettings(
                from: described.settings, workload: workload, hosts: hosts, firstWorkload: first))
        do throws(SweepError) { try sweep.validate() } catch {
            throw CommandFailure(.refused, code: "bad_input", message: "\(error)")
        }
    }

    private static func checkPolicies(named names: [String]) throws {
        for name in names { _ = try makeStrategy(named: name, seed: 0) }
    }

    private static func makeStrategy(named name: String, seed: UInt64) throws -> Strategy {
        do throws(UnknownStrategy) {
            return try Strategies.findStrategy(named: name, seed: seed)
        } catch { throw CommandFailure(.notFound, code: "policy_unknown", message: "\(error)") }
    }

    /// A history is repeated first as it was: what the others are compared with.
    private static func sweepPolicies(
        named names: [String], source: WorkloadSource
    ) throws -> [Sweep.Policy] {
        let asked = try names.map { try makeStrategy(named: $0, seed: 0) }
        let recorded: [Strategy] =
            if case .history(let history) = source { [history.recordedStrategy] } else { [] }
        return (recorded + asked).map { Sweep.Policy($0.name, summary: $0.summary) }
    }

    private static func sweepSettings(
        from settings: [Setting], workload: WorkloadOptions, hosts: HostOptions,
        firstWorkload first: Workload
    ) -> [Setting] {
        var settings = settings
        settings.append(Setting("duration", value: durationText(seconds: first.end.seconds)))
        settings.append(Setting("power", value: hosts.power ?? PowerCurve.named[0].name))
        if let limit = workload.limit { settings.append(Setting("limit", value: "\(limit) VMs")) }
        for (name, events) in [("hosts fail", hosts.hostsFail), ("drain", hosts.drain)]
        where !events.isEmpty {
            settings.append(Setting(name, value: events.map(\.text).joined(separator: ", ")))
        }
        return settings
    }
}

// Running

extension PlacementLab {
    func comparison(workers: Int) throws -> Comparison {
        let results = try computeResults(forCells: Array(0..<sweep.cellCount), workers: workers)
        return Comparison(sweep: sweep, results: results)
    }

    func computeShard(number: ShardNumber, workers: Int) throws -> Shard {
        let cells = number.cellIndices(of: sweep)
        let results = try computeResults(forCells: cells, workers: workers)
        return Shard(
            sweep: sweep,
            results: zip(cells, results).map { Shard.Result(cell: $0, result: $1) })
    }

    private func computeResults(forCells cells: [Int], workers: Int) throws -> [RunResult] {
        let progress = SweepProgress(runs: cells.count)
        defer { progress.clearLine() }
        do {
            return try ParallelRunner.runPieces(count: cells.count, workers: workers) { piece in
                try simulateCell(at: cells[piece]) {
                    progress.updateProgress(ofRun: piece, fraction: $0)
                }
            }
        } catch {
            guard case .failed(let piece, let cause) = error else { throw error }
            if let failure = cause as? CommandFailure { throw failure }
            throw CommandFailure(
                .refused, code: "bad_input",
                message: "\(sweep.cellDescription(at: cells[piece])): \(cause)")
        }
    }

    /// After a run: what was decided about the VMs that were to be explained, and why.
    var explanations: String {
        let decisions = log.decisions.map { decision in
            "\(durationText(seconds: decision.at.seconds)) after the start:\n"
                + decision.explanation.explanationText(hosts: variants[0].hosts)
        }
        let found = Set(log.decisions.map(\.explanation.vm))
        let missing = explained.filter { !found.contains($0) }.map {
            "\($0): no VM of this name was asked for"
        }
        return (decisions + missing).joined(separator: "\n\n")
    }

    private func simulateCell(
        at index: Int, progress: @escaping (Double) -> Void
    ) throws -> RunResult {
        let cell = sweep.gridCell(at: index)
        var scenario = try makeScenario(for: cell)
        scenario.events += events[cell.variant]
        if !explained.isEmpty, cell.policy == sweep.policies.count - 1 {
            scenario.strategy = scenario.strategy.explainingPlacement(of: Set(explained), in: log)
        }
        var result = try scenario.runSimulation { now in
            progress(now.fraction)
            return true
        }
        progress(1)
        if !cell.keepsCourse {
            result.course = []
            result.heat = HeatMap()
        }
        return result
    }

    private func makeScenario(for cell: Cell) throws -> Scenario {
        let seed = sweep.seeds[cell.seed]
        let name = sweep.policies[cell.policy].name
        if case .history(let history) = source {
            let strategy =
                cell.policy == 0
                ? history.recordedStrategy : try Self.makeStrategy(named: name, seed: seed)
            var scenario = history.makeScenario(using: strategy, power: [power], seed: seed)
            scenario.workload.hosts = variants[cell.variant].hosts
            return scenario
        }
        var workload = try source.makeWorkload(seed: seed)
        workload.hosts = []
        return Scenario(
            workload: workload, hosts: variants[cell.variant].hosts, power: [power],
            strategy: try Self.makeStrategy(named: name, seed: seed), seed: seed)
    }
}
