// ferry simulate planetlab: the field's published experiment, as published and with its costs counted.

import ArgumentParser
import ClusterText
import Foundation
import PlanetLab
import SimulationReport
import Traces

struct SimulatePlanetLab: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "planetlab",
        abstract: "Repeats the published PlanetLab consolidation experiment on a day's folder.",
        discussion: """
            In cloudsim-3.0.3 mode every figure is the one that CloudSim 3.0.3 prints. In honest mode idle VMs \
            stay, memory counts, idle power is charged, and VMs move by Ferry's own migration model.

            Policies: \(PlanetLabPolicy.patterns.joined(separator: ", ")), several with commas; `published` for \
            the seven of the published tables.

            Examples:
              ferry simulate planetlab --trace 20110303 --policy lr-mmt-1.2 --mode both
              ferry simulate planetlab --trace 20110303 --policy published --output csv
            """)

    @Option(
        help: ArgumentHelp("The day's folder: a file for each VM.", valueName: "folder"),
        completion: .directory)
    var trace: String
    @Option(
        help: ArgumentHelp("Policies with commas, or published.", valueName: "names"),
        completion: .list(PlanetLabPolicy.published + ["published"]))
    var policy = "lr-mmt-1.2"
    @Option(
        help: "cloudsim-3.0.3, honest or both.",
        completion: .list(PlanetLabMode.allCases.map(\.rawValue) + ["both"]))
    var mode = PlanetLabMode.cloudSim.rawValue
    @Option(help: ArgumentHelp("The published experiment has 800.", valueName: "n"))
    var hosts = 800
    @Option(help: ArgumentHelp("Runs at once (default: one for each core).", valueName: "n"))
    var jobs: Int?
    @OptionGroup(title: "Output") var report: ReportOptions

    func validate() throws {
        do throws(PlanetLabError) { _ = try PlanetLabMode.parseModes(named: mode) } catch {
            throw ValidationError("\(error)")
        }
        if let jobs, !(1...SimulationLimits.jobsMax).contains(jobs) {
            throw ValidationError("--jobs must be 1 to \(SimulationLimits.jobsMax)")
        }
    }

    func run() async throws {
        try await reportFailures(as: report.output.errors) {
            try report.checkOutputPaths()
            let policies = try parsePolicies()
            let day = try readTraceDay()
            let modes = try PlanetLabMode.parseModes(named: mode)
            let workers = jobs ?? ProcessInfo.processInfo.activeProcessorCount
            let results = try runExperiments(
                on: day, policies: policies, modes: modes, workers: workers)
            let made = ExperimentReport(results)
            try report.writeReport(
                table: made.text, json: made.json.text, csv: made.csv, html: made.html)
        }
    }

    private func parsePolicies() throws -> [PlanetLabPolicy] {
        let names =
            policy == "published"
            ? PlanetLabPolicy.published : policy.split(separator: ",").map(String.init)
        guard !names.isEmpty, names.count <= SimulationLimits.variantsMax else {
            throw CommandFailure(
                .refused, code: "bad_input",
                message: "name 1 to \(SimulationLimits.variantsMax) policies")
        }
        return try names.map { name in
            do throws(PlanetLabError) { return try PlanetLabPolicy(name: name) } catch {
                throw CommandFailure(.notFound, code: "policy_unknown", message: "\(error)")
            }
        }
    }

    private func readTraceDay() throws -> PlanetLabDay {
        do throws(TraceError) {
            return try PlanetLabFolder.readTraceDay(
                inFolder: CurrentCluster.absolutePath(for: trace))
        } catch {
            throw CommandFailure(error)
        }
    }

    /// A piece is a policy in a mode: the modes of one policy need not wait for each other.
    private func runExperiments(
        on day: PlanetLabDay, policies: [PlanetLabPolicy], modes: [PlanetLabMode], workers: Int
    ) throws -> [PlanetLabResult] {
        let count = policies.count * modes.count
        let progress = SweepProgress(runs: count)
        defer { progress.clearLine() }
        let runs: [PlanetLabResult]
        do {
            runs = try ParallelRunner.runPieces(count: count, workers: workers) {
                (piece) throws(PlanetLabError) in
                var experiment = PlanetLabExperiment(
                    day: day, policy: policies[piece / modes.count],
                    modes: [modes[piece % modes.count]])
                experiment.hosts = hosts
                return try experiment.runAllModes {
                    progress.updateProgress(ofRun: piece, fraction: $0)
                }
            }
        } catch {
            guard case .failed(_, let cause) = error else { throw error }
            throw CommandFailure(.refused, code: "bad_input", message: "\(cause)")
        }
        return policies.indices.map { policy in
            var result = runs[policy * modes.count]
            result.runs = (0..<modes.count).flatMap { runs[policy * modes.count + $0].runs }
            return result
        }
    }
}

extension ExperimentReport {
    fileprivate var text: String {
        let modes = modes.map { mode in
            "What \(mode.name) counts\n" + mode.rules.map { "  \($0)" }.joined(separator: "\n")
        }
        let notes = notes.map { "note: \($0)" }
        let parts =
            table.texts + modes + (notes.isEmpty ? [] : [notes.joined(separator: "\n")])
        return parts.joined(separator: "\n\n")
    }
}
