// Injects faults into real migrations, one scenario after another, and says what came of each.

import ArgumentParser
import Faults
import Foundation
import Host

@main
struct FaultsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ferry-faults",
        abstract: "Injects faults into migrations of real processes and checks what must hold.",
        discussion: """
            Agents and VMs are the real programs, with a shim loaded into them that stops them at exact points. After \
            each fault: one owner, who runs the VM; no wrong page, no heartbeat lost or repeated; nothing left behind. \
            Run it by Scripts/faults.

            Exit codes: 0 all held, 1 something did not, 64 wrong usage.
            """)

    @Option(help: "Only scenarios whose name matches this regular expression.") var only: String?
    @Option(name: .customLong("repeat"), help: "How often each scenario runs.") var repeats = 1
    @Option(
        help:
            "Scenarios run in a random order that this number decides; 0: in the order of the phases."
    )
    var seed: UInt64 = 0
    @Option(help: "Go on after so many scenarios of an earlier run.") var skip = 0
    @Option(help: "At most so many scenarios.") var limit: Int?
    @Option(help: "Write the table between the markers of this file.") var table: String?
    @Flag(help: "Print the scenarios' names and end.") var list = false

    func run() async throws {
        let scenarios = try Selection(only: only, repeats: repeats, seed: seed, limit: limit)
            .scenarios
        if list { return try printLine(scenarios.map(\.name).joined(separator: "\n")) }
        let campaign = Campaign(scenarios: scenarios) { text in
            // A closed output is no reason to leave VMs behind.
            try? StandardStreams.writeBytes(Array("\(text)\n".utf8), toDescriptor: 1)
        }
        let report = await runInterruptibly { await campaign.runAllScenarios() }
        try printLine(report.summary)
        if let table, !report.isInterrupted { try report.replaceTable(inFile: table) }
        if !report.isGood { throw ExitCode.failure }
    }

    private func printLine(_ text: String) throws {
        try StandardStreams.writeBytes(Array("\(text)\n".utf8), toDescriptor: 1)
    }

    /// Cancelled by Ctrl-C and SIGTERM, so that everything is taken down.
    private func runInterruptibly<Value: Sendable>(
        _ body: @escaping @Sendable () async -> Value
    ) async -> Value {
        let task = Task { await body() }
        let sources = [SIGINT, SIGTERM].map { number in
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number)
            source.setEventHandler { task.cancel() }
            source.resume()
            return source
        }
        defer { for source in sources { source.cancel() } }
        return await task.value
    }
}
