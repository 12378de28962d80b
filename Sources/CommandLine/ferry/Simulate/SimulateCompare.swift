// ferry simulate compare: policies beside each other, over seeds and variants, on all cores or on many machines.

import ArgumentParser
import Foundation
import Host
import Simulation
import SimulationReport

struct SimulateCompare: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "compare",
        abstract: "Compares policies over seeds: means, spread, paired differences, bounds.",
        discussion: """
            The first policy is the one that the others are compared with. Each seed makes another workload of a \
            generator; a trace is the same for every seed, and only policies that draw lots differ.

            --hosts or --cpu-overcommit given several times make variants: each policy meets each.

            Examples:
              ferry simulate compare --policies best-fit,worst-fit,dot-product --synthetic steady --seeds 10
              ferry simulate compare --policies best-fit,balance --trace vms.csv --hosts 40 --hosts 44 --html hosts.html

            On many machines, each run is done once, and the whole has the same bytes as without splitting:
              parallel ferry simulate compare … --shard {}/8 --to part-{}.json ::: $(seq 8)
              sbatch --array=1-8 --wrap 'ferry simulate compare … --shard $SLURM_ARRAY_TASK_ID/8 --to part-$SLURM_ARRAY_TASK_ID.json'
              ferry simulate merge part-*.json --html report.html
            """)

    @Option(
        help: ArgumentHelp(
            "Policies with commas, or all; the first is the baseline.", valueName: "names"),
        completion: .strategyLists)
    var policies: String
    @Option(help: ArgumentHelp("So many seeds, from --seed on.", valueName: "n"))
    var seeds = 1
    @Option(help: ArgumentHelp("The first seed.", valueName: "n"))
    var seed: UInt64 = 1
    @OptionGroup(title: "Workload") var workload: WorkloadOptions
    @OptionGroup(title: "Hosts") var hosts: HostOptions
    @Option(help: ArgumentHelp("Runs at once (default: one for each core).", valueName: "n"))
    var jobs: Int?
    @Option(
        help: ArgumentHelp(
            "Do only part i of n, and write what `ferry simulate merge` puts together.",
            valueName: "i/n"), transform: parseShardNumber)
    var shard: ShardNumber?
    @OptionGroup(title: "Output") var report: ReportOptions

    func validate() throws {
        guard (1...SimulationLimits.seedsMax).contains(seeds) else {
            throw ValidationError("--seeds must be 1 to \(SimulationLimits.seedsMax)")
        }
        guard seed <= UInt64.max - UInt64(seeds) else {
            throw ValidationError("--seed is too large for so many seeds")
        }
        if let jobs, !(1...SimulationLimits.jobsMax).contains(jobs) {
            throw ValidationError("--jobs must be 1 to \(SimulationLimits.jobsMax)")
        }
        if shard != nil, report.html != nil || report.isOutputGiven {
            throw ValidationError(
                "--shard writes a shard file: give --output and --html to `ferry simulate merge`")
        }
        if names.isEmpty { throw ValidationError("--policies names no policy") }
    }

    private var names: [String] {
        policies.split(separator: ",").map { String($0.drop { $0 == " " }) }
    }

    func run() async throws {
        try await reportFailures(as: report.output.errors) {
            try report.checkOutputPaths()
            let seeds = (0..<UInt64(seeds)).map { seed + $0 }
            let lab = try PlacementLab(
                workload: workload, hosts: hosts,
                policies: names == ["all"] ? Strategies.names : names,
                seeds: seeds)
            let workers = jobs ?? ProcessInfo.processInfo.activeProcessorCount
            if let shard {
                let part = try lab.computeShard(number: shard, workers: workers)
                do { try report.writeOutput(bytes: part.encodedBytes()) } catch let error
                    as ShardError
                {
                    throw CommandFailure(.failed, code: "failed", message: "\(error)")
                }
            } else {
                try report.writeComparison(try lab.comparison(workers: workers))
            }
        }
    }
}

@Sendable private func parseShardNumber(from text: String) throws -> ShardNumber {
    guard let shard = ShardNumber(text) else {
        throw ValidationError("'\(text)' is not a part: write 3/8 for the third of eight")
    }
    return shard
}
