// ferry balance: how even the load is, what would be moved, and the balancer's settings.

import API
import ArgumentParser
import Clients
import ClusterText
import Model

struct Balance: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Shows how even the load is, plans moves that level it, and runs them.",
        discussion: """
            Alone it shows the balancer's mode, the imbalance and the last plan. --plan makes a plan now: each \
            move with its reason and what it will take, or why none is worth it. --run carries one out and \
            follows it (exit code 10: something is left). Settings given are changed. These need a controller.

            With --input it plans for a cluster that stands in a file, in Ganeti's text format, and prints each \
            move with the score after it, as hbal does; no cluster is needed.

            Example:
              ferry balance --plan
              ferry balance --mode auto --start-above 0.1 --cool-down 30m
              ferry balance --input cluster.data --moves 10
              ferry balance --input cluster.data --drain node7 --output json
            """)

    @Flag(help: "Show what would be moved now, and why.")
    var plan = false
    @Flag(name: .customLong("run"), help: "Move it.")
    var shallRun = false
    @Flag(help: "With --run: start it and return.")
    var noWait = false
    @OptionGroup(title: "Settings") var settings: BalanceSettingOptions
    @OptionGroup(title: "A cluster in a file") var file: BalanceFileOptions
    @OptionGroup var cluster: ClusterOptions
    @OptionGroup var output: OutputOptions

    func validate() throws {
        let wishes = [plan, shallRun, settings.isUsed, file.isUsed].count { $0 }
        if wishes > 1 {
            throw ValidationError("one at a time: --plan, --run, settings or --input")
        }
        if noWait, !shallRun { throw ValidationError("--no-wait is for --run") }
    }

    func run() async throws {
        try await reportFailures(to: output) {
            if let input = file.input { return try printMovePlan(forFile: input) }
            try await Session.withConnection(to: cluster) { session in
                try await executeCommand(on: try session.requireController(for: "ferry balance"))
            }
        }
    }

    private func printMovePlan(forFile input: String) throws {
        let plan = try BalanceFilePlan(options: file, file: input)
        try output.printResult(plan, text: plan.text)
    }

    private func executeCommand(on controller: ControllerClient) async throws {
        if plan {
            let plan = try await controller.planBalance()
            try output.printResult(plan, text: plan.summaryText(ifEmpty: "nothing to move"))
        } else if shallRun {
            let started = try await controller.runBalance()
            let follower = OperationFollower(using: controller, output: output)
            if noWait { return try follower.announceStart(of: started) }
            try await follower.awaitCompletion(of: started)
        } else {
            let info =
                settings.isUsed
                ? try await controller.updateBalance(with: settings.request)
                : try await controller.readBalanceInfo()
            try output.printResult(info, text: info.text)
        }
    }
}
