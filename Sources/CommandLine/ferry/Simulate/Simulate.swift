// ferry simulate: placement policies on traces, before one is trusted with hosts.

import ArgumentParser

struct Simulate: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Replays traces through the scheduler's own code, and compares policies.",
        discussion: """
            Nothing runs, no cluster is needed: VMs come and go as a trace or a generator says, and the code that \
            decides in the controller decides here. The same seed gives the same bytes on every machine.

            Examples:
              ferry simulate --synthetic steady --policy best-fit
              ferry simulate --trace requests.csv --hosts 200 --host-shape 64c/512GiB --html run.html
              ferry simulate compare --policies best-fit,worst-fit,balance --synthetic steady --seeds 10
              ferry simulate planetlab --trace planetlab/20110303 --policy lr-mmt-1.2 --mode both
              ferry simulate policies

            `ferry help simulate run` has the options of a run; `run` itself need not be written.
            """,
        subcommands: [
            SimulateRun.self, SimulateCompare.self, SimulateMerge.self, SimulatePlanetLab.self,
            SimulatePolicies.self,
        ],
        defaultSubcommand: SimulateRun.self)
}
