// ferry simulate policies: what there is to compare.

import ArgumentParser
import ClusterText
import Simulation
import Traces

struct SimulatePolicies: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "policies",
        abstract: "Lists policies, trace formats and generators with a sentence each.",
        discussion: """
            Example:
              ferry simulate policies --output json
            """)

    @OptionGroup var output: OutputOptions

    private struct Item: Encodable {
        var name: String
        var summary: String
    }

    private struct Lists: Encodable {
        var policies: [Item]
        var formats: [Item]
        var generators: [Item]
        var powerCurves: [Item]
    }

    func run() async throws {
        try await reportFailures(to: output) {
            let lists = Lists(
                policies: Strategies.allStrategies(seed: 0).map {
                    Item(name: $0.name, summary: $0.summary)
                },
                formats: TraceFormat.allCases.map { Item(name: $0.rawValue, summary: $0.summary) },
                generators: SyntheticWorkload.allCases.map {
                    Item(name: $0.rawValue, summary: $0.summary)
                },
                powerCurves: PowerCurve.named.map { Item(name: $0.name, summary: $0.source) })
            try output.printResult(lists, text: Self.tablesText(for: lists))
        }
    }

    private static func tablesText(for lists: Lists) -> String {
        let parts = [
            ("POLICY", lists.policies), ("FORMAT OF TRACES", lists.formats),
            ("GENERATOR", lists.generators), ("POWER CURVE", lists.powerCurves),
        ]
        return parts.map { heading, items in
            var table = Table(heading, "")
            for item in items { table.addRow(item.name, item.summary) }
            return table.text
        }.joined(separator: "\n\n")
    }
}
