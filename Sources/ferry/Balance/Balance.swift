// ferry balance: how even the load is, what would be moved, and the balancer's settings.

import ArgumentParser
import Model

struct Balance: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Shows how even the load is, plans moves that level it, and runs them.",
        discussion: """
            With --input it plans for a cluster that stands in a file, in Ganeti's text format, and prints each \
            move with the score after it, as hbal does.

            Example:
              ferry balance --input cluster.data --moves 10
              ferry balance --input cluster.data --drain node7 --output json
            """)

    @OptionGroup(title: "A cluster in a file") var file: BalanceFileOptions
    @OptionGroup var output: OutputOptions

    func run() async throws {
        try await reporting(output) {
            guard let input = file.input else { return }
            let plan = try BalanceFilePlan(file, file: input)
            switch output.output {
            case .json: print(try jsonText(plan))
            case .text: print(plan.text)
            }
        }
    }
}
