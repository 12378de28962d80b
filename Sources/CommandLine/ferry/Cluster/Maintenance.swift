// ferry maintenance: the whole cluster, a group of hosts after the other.

import API
import ArgumentParser
import Clients
import ClusterText
import Model

struct Maintenance: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "maintenance", abstract: "Plans rolling maintenance; needs a controller.",
        discussion: """
            Example:
              ferry maintenance plan --group-max 4
            """,
        subcommands: [Plan.self])

    struct Plan: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Puts hosts into groups such that each group's VMs fit on the rest.",
            discussion: """
                Groups are emptied one after the other; the VMs of one come back before the next begins. Nothing \
                is changed. Exit code 10: a host cannot be emptied, not even alone.

                Example:
                  ferry maintenance plan
                  ferry maintenance plan host-a host-b host-c --group-max 2
                """)
        @Argument(
            help: "The hosts (default: all active ones).", completion: .hostNames,
            transform: { try HostName($0) })
        var hosts: [HostName] = []
        @Option(help: ArgumentHelp("At most so many hosts in a group.", valueName: "n"))
        var groupMax: Int?
        @OptionGroup var cluster: ClusterOptions
        @OptionGroup var output: OutputOptions

        func validate() throws {
            if let groupMax, groupMax < 1 {
                throw ValidationError("--group-max must be 1 or more")
            }
        }

        func run() async throws {
            try await Session.withConnection(to: cluster, reporting: output) { session in
                let controller = try session.requireController(for: "ferry maintenance")
                let plan = try await controller.planMaintenance(
                    with: PlanMaintenance(hosts: hosts.isEmpty ? nil : hosts, groupMax: groupMax))
                try output.printResult(plan, text: plan.text)
                if !plan.impossible.isEmpty {
                    throw ExitCode(CommandFailure.Kind.somethingIsLeft.rawValue)
                }
            }
        }
    }
}
