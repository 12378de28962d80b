// ferry status: the cluster at one look.

import ClusterFile
import API
import ArgumentParser
import Clients
import ClusterText
import Model

struct Status: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Shows the cluster: hosts, VMs, migrations or operations under way.",
        discussion: """
            Example:
              ferry status
            """)

    @OptionGroup var cluster: ClusterOptions
    @OptionGroup var output: OutputOptions

    func run() async throws {
        try await Session.withConnection(to: cluster, reporting: output) { session in
            if let controller = session.controller {
                try await printClusterStatus(from: controller)
            } else {
                try await printAgentStatus(in: session)
            }
        }
    }

    private func printAgentStatus(in session: Session) async throws {
        if output.output == .json { return try await printAgentHosts(in: session, output: output) }
        print("cluster \(session.cluster.cluster), \(session.cluster.path)\n")
        try await printAgentHosts(in: session, output: output)
        let (vms, _) = try await session.client.fetchAllVMs()
        if !vms.isEmpty { print("\n\(vmTableText(for: vms))") }
        let answers = try await session.client.queryAllAgents { agent throws(ClientError) in
            try await agent.migrations()
        }
        let running = answers.flatMap { (try? $0.answer.get()) ?? [] }.filter { !$0.isOver }
        if !running.isEmpty { print("\n\(migrationTableText(for: running))") }
    }

    private func printClusterStatus(from controller: ControllerClient) async throws {
        let info = try await controller.readClusterInfo()
        if output.output == .json { return print(try encodedJSON(of: info)) }
        print("\(info.text)\n\(info.countsText)\n")
        print(hostTableText(for: try await controller.fetchAllHosts()))
        let vms = try await controller.fetchAllVMs()
        if !vms.isEmpty { print("\n\(clusterVMTableText(for: vms))") }
        let running = try await controller.fetchRunningOperations()
        if !running.isEmpty { print("\n\(operationTableText(for: running))") }
    }
}

extension ControllerClient {
    func fetchAllHosts() async throws(ClientError) -> [ClusterHost] {
        try await collectAllPages { (after) throws(ClientError) in try await listHosts(after: after)
        }
    }

    func fetchAllVMs() async throws(ClientError) -> [ClusterVM] {
        try await collectAllPages { (after) throws(ClientError) in
            try await listClusterVMs(after: after)
        }
    }

    func fetchAllGroups() async throws(ClientError) -> [GroupInfo] {
        try await collectAllPages { (after) throws(ClientError) in
            try await listGroups(after: after)
        }
    }

    func fetchAllTokens() async throws(ClientError) -> [TokenInfo] {
        try await collectAllPages { (after) throws(ClientError) in
            try await listTokens(after: after)
        }
    }

    func fetchRunningOperations() async throws(ClientError) -> [OperationInfo] {
        var found: [OperationInfo] = []
        for state in [OperationInfo.State.running, .cancelling] {
            found += try await collectAllPages { (after) throws(ClientError) in
                try await listOperations(after: after, inState: state)
            }
        }
        return found
    }
}
