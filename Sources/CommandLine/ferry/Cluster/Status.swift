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
        try await Session.with(cluster, reporting: output) { session in
            if let controller = session.controller {
                try await show(controller)
            } else {
                try await show(session)
            }
        }
    }

    private func show(_ session: Session) async throws {
        if output.output == .json { return try await printHosts(session, output) }
        print("cluster \(session.cluster.cluster), \(session.cluster.path)\n")
        try await printHosts(session, output)
        let (vms, _) = try await session.client.allVMs()
        if !vms.isEmpty { print("\n\(vmTable(vms))") }
        let answers = try await session.client.eachAgent { agent throws(ClientError) in
            try await agent.migrations()
        }
        let running = answers.flatMap { (try? $0.answer.get()) ?? [] }.filter { !$0.isOver }
        if !running.isEmpty { print("\n\(migrationTable(running))") }
    }

    private func show(_ controller: ControllerClient) async throws {
        let info = try await controller.cluster()
        if output.output == .json { return print(try jsonText(info)) }
        print("\(info.text)\n\(info.countsText)\n")
        print(hostTable(try await controller.allHosts()))
        let vms = try await controller.allVMs()
        if !vms.isEmpty { print("\n\(clusterVMTable(vms))") }
        let running = try await controller.operationsUnderWay()
        if !running.isEmpty { print("\n\(operationTable(running))") }
    }
}

extension ControllerClient {
    func allHosts() async throws(ClientError) -> [ClusterHost] {
        try await all { (after) throws(ClientError) in try await hosts(after: after) }
    }

    func allVMs() async throws(ClientError) -> [ClusterVM] {
        try await all { (after) throws(ClientError) in try await vms(after: after) }
    }

    func allGroups() async throws(ClientError) -> [GroupInfo] {
        try await all { (after) throws(ClientError) in try await groups(after: after) }
    }

    func allTokens() async throws(ClientError) -> [TokenInfo] {
        try await all { (after) throws(ClientError) in try await tokens(after: after) }
    }

    func operationsUnderWay() async throws(ClientError) -> [OperationInfo] {
        var found: [OperationInfo] = []
        for state in [OperationInfo.State.running, .cancelling] {
            found += try await all { (after) throws(ClientError) in
                try await operations(after: after, state: state)
            }
        }
        return found
    }
}
