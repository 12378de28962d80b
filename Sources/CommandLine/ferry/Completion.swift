// Names of VMs, hosts and other things for the shell's completion.

import API
import ClusterFile
import ArgumentParser
import Clients
import Model
import Placement

extension CompletionKind {
    static let vmNames = nameCompletion(for: .vms)
    static let hostNames = nameCompletion(for: .hosts)
    static let groupNames = nameCompletion(for: .groups)
    static let tokenNames = nameCompletion(for: .tokens)
    static let operationIDs = nameCompletion(for: .operations)
    static let policies = list(NamedPolicies.names)

    private static func nameCompletion(for kind: CompleteCommand.Kind) -> CompletionKind {
        shellCommand("ferry complete \(kind.rawValue)")
    }
}

/// Prints names, one a line. The shell calls it while somebody types: it is quick, and has nothing to say otherwise.
struct CompleteCommand: AsyncParsableCommand {
    enum Kind: String, CaseIterable, ExpressibleByArgument {
        case vms, hosts, groups, tokens, operations
    }

    private static let patience = Duration.seconds(2)

    static let configuration = CommandConfiguration(
        commandName: "complete", abstract: "Prints names for the shell's completion.",
        shouldDisplay: false)

    @Argument(help: "What to list.")
    var kind: Kind

    func run() async {
        let words = await withTaskGroup(of: [String].self) { group in
            group.addTask { (try? await fetchNames()) ?? [] }
            group.addTask {
                try? await Task.sleep(for: Self.patience)
                return []
            }
            let first = await group.next() ?? []
            group.cancelAll()
            return first
        }
        if !words.isEmpty { print(words.joined(separator: "\n")) }
    }

    private func fetchNames() async throws -> [String] {
        var words: [String] = []
        let options = try ClusterOptions.parse([])
        try await Session.withConnection(to: options) { session in
            words =
                if let controller = session.controller {
                    try await fetchNames(from: controller)
                } else {
                    try await fetchNames(in: session)
                }
        }
        return words
    }

    private func fetchNames(from controller: ControllerClient) async throws -> [String] {
        switch kind {
        case .vms: try await controller.fetchAllVMs().map(\.name.text)
        case .hosts: try await controller.fetchAllHosts().map(\.name.text)
        case .groups: try await controller.fetchAllGroups().map(\.group.name)
        case .tokens: try await controller.fetchAllTokens().map(\.name)
        case .operations: try await controller.fetchRunningOperations().map(\.id.description)
        }
    }

    private func fetchNames(in session: Session) async throws -> [String] {
        switch kind {
        case .vms: try await session.client.fetchAllVMs().vms.map(\.name.text)
        case .hosts: session.cluster.hosts.map(\.name.text)
        case .groups, .tokens, .operations: []
        }
    }
}
