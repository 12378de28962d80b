// ferry simulate run: one policy, one seed.

import ArgumentParser
import Simulation

struct SimulateRun: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run",
        abstract: "Runs one policy on a workload (the default).",
        discussion: """
            Examples:
              ferry simulate --synthetic steady --vms 5000 --duration 48h
              ferry simulate --trace vms.csv --policy balance --output json > run.json
              ferry simulate --trace openb --format openb --hosts 300 --policy dot-product
              ferry simulate --synthetic steady --drain 0-3@6h+1h --hosts-fail 7@10h+30m --html run.html
              ferry simulate --what-if history --policy best-fit
              ferry simulate --synthetic steady --vms 50 --hosts 4 --explain vm-7
            """)

    @Option(
        help: ArgumentHelp("The policy; `ferry simulate policies` lists them.", valueName: "name"),
        completion: .strategies)
    var policy = "best-fit"
    @Option(help: ArgumentHelp("What lots are drawn from.", valueName: "n"))
    var seed: UInt64 = 1
    @Option(
        help: ArgumentHelp(
            "Say why this VM is placed where it is placed, each time that it is: every host with its score or what refused it; may be repeated.",
            valueName: "vm"))
    var explain: [String] = []
    @OptionGroup(title: "Workload") var workload: WorkloadOptions
    @OptionGroup(title: "Hosts") var hosts: HostOptions
    @OptionGroup(title: "Output") var report: ReportOptions

    func validate() throws {
        if !explain.isEmpty, report.output != .table {
            throw ValidationError("--explain is for people: leave --output out")
        }
    }

    func run() async throws {
        try await reportFailures(as: report.output.errors) {
            try report.checkOutputPaths()
            let lab = try PlacementLab(
                workload: workload, hosts: hosts, policies: [policy], seeds: [seed], variantsMax: 1,
                explaining: explain)
            let comparison = try lab.comparison(workers: 1)
            try report.writeComparison(
                comparison, introduction: explain.isEmpty ? "" : lab.explanations)
        }
    }
}
