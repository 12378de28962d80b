// Names of VMs, hosts and other things for the shell's completion.

import API
import ClusterFile
import ArgumentParser
import Clients
import Model
import Placement

extension CompletionKind {
    static let vmNames = named(.vms)
    static let hostNames = named(.hosts)
    static let groupNames = named(.groups)
    static let tokenNames = named(.tokens)
    static let operationIDs = named(.operations)
    static let policies = list(NamedPolicies.names)

    private static func named(_ kind: CompletionWords.Kind) -> CompletionKind {
        shellCommand("ferry complete \(kind.rawValue)")
    }
}

/// Prints names, one a line. The shell calls it while somebody types: it is quick, and has nothing to say otherwise.
struct CompletionWords: AsyncParsableCommand {
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
            group.addTask { (try? await names()) ?? [] }
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

    private func names() async throws -> [String] {
        var words: [String] = []
        let options = try ClusterOptions.parse([])
        try await Session.with(options) { session in
            words =
                if let controller = session.controller {
                    try await names(controller)
                } else {
                    try await names(session)
                }
        }
        return words
    }

    private func names(_ controller: ControllerClient) async throws -> [String] {
        switch kind {
        case .vms: try await controller.allVMs().map(\.name.text)
        case .hosts: try await controller.allHosts().map(\.name.text)
        case .groups: try await controller.allGroups().map(\.group.name)
        case .tokens: try await controller.allTokens().map(\.name)
        case .operations: try await controller.operationsUnderWay().map(\.id.description)
        }
    }

    private func names(_ session: Session) async throws -> [String] {
        switch kind {
        case .vms: try await session.client.allVMs().vms.map(\.name.text)
        case .hosts: session.cluster.hosts.map(\.name.text)
        case .groups, .tokens, .operations: []
        }
    }
}
