// ferry operation: drains, balances, returns and migrations that run or have run.

import API
import ArgumentParser
import Clients
import ClusterText
import Model

struct OperationCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "operation", abstract: "Lists, shows, follows and cancels the cluster's work.",
        discussion: """
            An operation lives in the cluster's store: it goes on whatever becomes of the command that began it, \
            and of the controller. Needs a controller.

            Example:
              ferry operation list
            """,
        subcommands: [List.self, Show.self, Follow.self, Cancel.self])

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Lists operations, newest first.",
            discussion: """
                Example:
                  ferry operation list --running
                """)
        @Flag(help: "Only those that are not over.")
        var running = false
        @Option(help: ArgumentHelp("At most so many.", valueName: "n"))
        var limit = 50
        @OptionGroup var cluster: ClusterOptions
        @OptionGroup var output: OutputOptions

        func run() async throws {
            try await Session.withConnection(to: cluster, reporting: output) { session in
                let controller = try session.requireController(for: "ferry operation")
                let operations =
                    running
                    ? try await controller.fetchRunningOperations()
                    : try await controller.listOperations(limit: limit).items
                try output.printResult(
                    Page(items: operations), text: operationTableText(for: operations))
            }
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Shows an operation: each move, predicted beside actual, and what is left.",
            discussion: """
                Example:
                  ferry operation show 5f0c2a9be1d84c37a6f0b1c2d3e4f506
                """)
        @OptionGroup var operation: OperationOptions

        func run() async throws {
            try await operation.withController { controller in
                try operation.printOperation(try await controller.operation(withID: operation.id))
            }
        }
    }

    struct Follow: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Follows an operation to its end. Exit code 10: something is left.",
            discussion: """
                Example:
                  ferry operation follow 5f0c2a9be1d84c37a6f0b1c2d3e4f506
                """)
        @OptionGroup var operation: OperationOptions

        func run() async throws {
            try await operation.withController { controller in
                let follower = OperationFollower(using: controller, output: operation.output)
                try await follower.awaitCompletion(
                    of: try await controller.operation(withID: operation.id))
            }
        }
    }

    struct Cancel: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Asks an operation to end: moves under way are finished, none begins.",
            discussion: """
                Example:
                  ferry operation cancel 5f0c2a9be1d84c37a6f0b1c2d3e4f506
                """)
        @OptionGroup var operation: OperationOptions

        func run() async throws {
            try await operation.withController { controller in
                try operation.printOperation(
                    try await controller.cancelOperation(withID: operation.id))
            }
        }
    }
}

/// An operation by its id.
struct OperationOptions: ParsableArguments {
    @Argument(
        help: "The operation's id.", completion: .operationIDs,
        transform: { text in
            guard let id = OperationID(text) else {
                throw ValidationError("'\(text)' is no operation's id: 32 hexadecimal digits")
            }
            return id
        })
    var id: OperationID
    @OptionGroup var cluster: ClusterOptions
    @OptionGroup var output: OutputOptions

    func withController(_ body: (ControllerClient) async throws -> Void) async throws {
        try await Session.withConnection(to: cluster, reporting: output) { session in
            try await body(try session.requireController(for: "ferry operation"))
        }
    }

    func printOperation(_ operation: OperationInfo) throws {
        try output.printResult(operation, text: operation.text)
    }
}
