// ferry migration: migrations that run or have run.

import API
import ClusterText
import ArgumentParser
import Clients
import Model

struct MigrationCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "migration", abstract: "Lists, shows and cancels migrations.",
        discussion: """
            The host that a VM leaves remembers its migrations for a while. A migration can be cancelled until \
            its VM is handed over.

            Example:
              ferry migration list
            """,
        subcommands: [List.self, Show.self, Cancel.self])

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Lists migrations, newest first.",
            discussion: """
                Example:
                  ferry migration list
                """)
        @OptionGroup var cluster: ClusterOptions
        @OptionGroup var output: OutputOptions

        func run() async throws {
            try await Session.withConnection(to: cluster, reporting: output) { session in
                let answers = try await session.client.queryAllAgents { agent throws(ClientError) in
                    try await agent.migrations()
                }
                let all = answers.flatMap { (try? $0.answer.get()) ?? [] }
                try output.printResult(
                    MigrationList(migrations: all), text: migrationTableText(for: all))
            }
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Shows one migration.",
            discussion: """
                Example:
                  ferry migration show 5f0c2a9be1d84c37a6f0b1c2d3e4f506
                """)
        @OptionGroup var migration: MigrationOptions

        func run() async throws {
            try await migration.withOwningAgent { agent in
                try migration.printMigration(await agent.migration(withID: migration.id))
            }
        }
    }

    struct Cancel: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Ends a migration; its VM runs on where it was.",
            discussion: """
                Example:
                  ferry migration cancel 5f0c2a9be1d84c37a6f0b1c2d3e4f506
                """)
        @OptionGroup var migration: MigrationOptions

        func run() async throws {
            try await migration.withOwningAgent { agent in
                try migration.printMigration(await agent.cancelMigration(withID: migration.id))
            }
        }
    }
}

/// A migration by its id.
struct MigrationOptions: ParsableArguments {
    @Argument(
        help: "The migration's id.",
        transform: { text in
            guard let id = MigrationID(text) else {
                throw ValidationError("'\(text)' is no migration's id: 32 hexadecimal digits")
            }
            return id
        })
    var id: MigrationID
    @OptionGroup var cluster: ClusterOptions
    @OptionGroup var output: OutputOptions

    /// Calls with the agent that knows the migration.
    func withOwningAgent(_ body: (AgentClient) async throws -> Void) async throws {
        try await Session.withConnection(to: cluster, reporting: output) { session in
            let id = id
            let answers = try await session.client.queryAllAgents { agent throws(ClientError) in
                try await agent.migration(withID: id)
            }
            for (agent, answer) in answers where (try? answer.get()) != nil {
                return try await body(agent)
            }
            throw CommandFailure(
                .notFound, code: "migration_not_found", message: "no host knows migration \(id)")
        }
    }

    func printMigration(_ info: MigrationInfo) throws {
        switch output.output {
        case .json: Swift.print(try encodedJSON(of: info))
        case .text:
            Swift.print(migrationTableText(for: [info]))
            if let report = info.report { Swift.print(reportText(for: report, migration: info)) }
            if let failure = info.failure { Swift.print("\(failure.code): \(failure.message)") }
        }
    }
}

func migrationTableText(for migrations: [MigrationInfo]) -> String {
    var table = Table("ID", "VM", "FROM", "TO", "STATE", "NOW")
    for info in migrations {
        let now =
            switch info.state {
            case .running: info.progress.map(progressText) ?? ""
            case .succeeded:
                info.report.map { "downtime \(durationText(milliseconds: $0.downtimeMs))" } ?? ""
            case .rehearsed:
                info.report?.rehearsal.map {
                    "downtime about \(durationText(milliseconds: $0.downtimeMs))"
                } ?? ""
            case .failed, .cancelled: info.failure?.code ?? ""
            }
        table.addRow(
            info.id.description, info.vm.text, info.source.text, info.destination.text,
            info.state.rawValue, now)
    }
    return table.text
}
