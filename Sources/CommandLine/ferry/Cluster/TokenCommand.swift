// ferry token: ways in without a certificate.

import API
import ArgumentParser
import Clients
import ClusterText
import Model

struct TokenCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "token", abstract: "Makes, lists and ends tokens; needs a controller.",
        discussion: """
            A token is a bearer token for the controller's API: for dashboards, scripts and people without keys. \
            $FERRY_TOKEN makes `ferry` use it. A viewer sees all but tokens; an operator also commands VMs, hosts \
            and operations; an admin also makes tokens and fences hosts.

            Example:
              ferry token create grafana --role viewer
            """,
        subcommands: [Create.self, List.self, Delete.self])

    struct Create: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Makes a token and prints it, this once: it is not kept.",
            discussion: """
                Example:
                  FERRY_TOKEN=$(ferry token create ci --role operator --valid-for 720h) ferry vm list
                """)
        @Argument(help: "The token's name.")
        var name: String
        @Option(help: "What its holder may do: viewer, operator or admin.")
        var role = TokenRole.viewer
        @Option(
            help: ArgumentHelp(
                "For how long, such as 720h (default: until it is deleted).", valueName: "time"),
            transform: parseDuration)
        var validFor: Duration?
        @OptionGroup var cluster: ClusterOptions
        @OptionGroup var output: OutputOptions

        func run() async throws {
            try await Session.withConnection(to: cluster, reporting: output) { session in
                let controller = try session.requireController(for: "ferry token")
                let made = try await controller.createToken(
                    with: CreateToken(
                        name: name, role: role,
                        validForSeconds: validFor.map { Int($0.components.seconds) }))
                try output.printResult(made, text: made.token ?? "")
            }
        }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Lists the tokens, not what they are.",
            discussion: """
                Example:
                  ferry token list
                """)
        @OptionGroup var cluster: ClusterOptions
        @OptionGroup var output: OutputOptions

        func run() async throws {
            try await Session.withConnection(to: cluster, reporting: output) { session in
                let controller = try session.requireController(for: "ferry token")
                let tokens = try await controller.fetchAllTokens()
                try output.printResult(Page(items: tokens), text: tokenTableText(for: tokens))
            }
        }
    }

    struct Delete: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Ends a token: nobody gets in with it from now on.",
            discussion: """
                Example:
                  ferry token delete ci
                """)
        @Argument(help: "The token's name.", completion: .tokenNames)
        var name: String
        @OptionGroup var cluster: ClusterOptions
        @OptionGroup var output: OutputOptions

        func run() async throws {
            try await Session.withConnection(to: cluster, reporting: output) { session in
                let controller = try session.requireController(for: "ferry token")
                try await controller.deleteToken(named: name)
                try output.printResult(["deleted": name], text: "token \(name) is deleted")
            }
        }
    }
}

extension TokenRole: ExpressibleByArgument {}
