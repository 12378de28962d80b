// ferry group: VMs that belong together or apart.

import API
import ArgumentParser
import Clients
import ClusterText
import Model

struct GroupCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "group", abstract: "Lists and deletes groups of VMs; needs a controller.",
        discussion: """
            A group is made by the first `ferry vm create` that names it.

            Example:
              ferry group list
            """,
        subcommands: [List.self, Delete.self])

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Lists the groups with their rules and members.",
            discussion: """
                Example:
                  ferry group list
                """)
        @OptionGroup var cluster: ClusterOptions
        @OptionGroup var output: OutputOptions

        func run() async throws {
            try await Session.withConnection(to: cluster, reporting: output) { session in
                let controller = try session.requireController(for: "ferry group")
                let groups = try await controller.fetchAllGroups()
                try output.printResult(Page(items: groups), text: groupTableText(for: groups))
            }
        }
    }

    struct Delete: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Deletes a group that has no members.",
            discussion: """
                Example:
                  ferry group delete db
                """)
        @Argument(help: "The group.", completion: .groupNames)
        var name: String
        @OptionGroup var cluster: ClusterOptions
        @OptionGroup var output: OutputOptions

        func run() async throws {
            try await Session.withConnection(to: cluster, reporting: output) { session in
                let controller = try session.requireController(for: "ferry group")
                try await controller.deleteGroup(named: name)
                try output.printResult(["deleted": name], text: "group \(name) is deleted")
            }
        }
    }
}
