// What a command works with: the cluster, its agents, and where each VM is.

import API
import Client
import ClusterFile
import Foundation
import Host
import Keys
import Model

/// A cluster to talk to.
struct Session {
    let cluster: ClusterFile
    let client: ClusterClient

    /// Opens the cluster and calls with it; closes it whatever happens.
    static func with(
        _ options: ClusterOptions, _ body: (Session) async throws -> Void
    ) async throws {
        let cluster = try CurrentCluster.find(options.cluster)
        let keys =
            options.keys ?? ProcessInfo.processInfo.environment["FERRY_KEYS"]
            ?? cluster.operatorKeys
        let session = try Session(cluster, keysFolder: keys)
        do {
            try await body(session)
            await session.client.shutdown()
        } catch {
            await session.client.shutdown()
            throw error
        }
    }

    init(_ cluster: ClusterFile, keysFolder: String) throws {
        self.cluster = cluster
        client = try ClusterClient(
            hosts: cluster.hosts.map {
                HostAddress(
                    cluster: cluster.cluster, name: $0.name, ip: $0.api.ip, port: Int($0.api.port))
            }, keysFolder: keysFolder)
    }

    func agent(_ name: HostName) throws -> AgentClient {
        guard let agent = client.host(name) else {
            throw CommandFailure(
                .notFound, code: "host_unknown",
                "cluster \(cluster.cluster) has no host \(name); it has \(cluster.hosts.map(\.name.text).joined(separator: ", "))"
            )
        }
        return agent
    }

    /// Every VM of every host that answers, and the hosts that do not.
    func allVMs() async -> (vms: [VMInfo], silent: [ClientError]) {
        let answers = await eachAgent { agent throws(ClientError) in try await agent.vms() }
        var vms: [VMInfo] = []
        var silent: [ClientError] = []
        for (_, answer) in answers {
            switch answer {
            case .success(let found): vms += found
            case .failure(let error): silent.append(error)
            }
        }
        return (vms.sorted { ($0.name, $0.host) < ($1.name, $1.host) }, silent)
    }

    /// Asks all agents at once; answers in the cluster file's order.
    func eachAgent<Value: Sendable>(
        _ ask: @escaping @Sendable (AgentClient) async throws(ClientError) -> Value
    ) async -> [(agent: AgentClient, answer: Result<Value, ClientError>)] {
        let agents = client.agents
        return await withTaskGroup(of: (Int, Result<Value, ClientError>).self) { group in
            for (index, agent) in agents.enumerated() {
                group.addTask {
                    do throws(ClientError) { return (index, .success(try await ask(agent))) } catch
                    {
                        return (index, .failure(error))
                    }
                }
            }
            var answers: [Int: Result<Value, ClientError>] = [:]
            for await (index, answer) in group { answers[index] = answer }
            return agents.indices.compactMap { index in answers[index].map { (agents[index], $0) } }
        }
    }

    /// The agent that has the VM. A VM that is still arriving somewhere is where it comes from.
    func agent(withVM name: VMName) async throws -> AgentClient {
        let (vms, silent) = await allVMs()
        let found = vms.filter { $0.name == name && $0.state != .incoming }
        if found.count > 1 {
            throw CommandFailure(
                .refused, code: "ambiguous",
                "VM \(name) is on \(found.map(\.host.text).joined(separator: " and ")): say which with --on"
            )
        }
        guard let vm = found.first else {
            for error in silent { printError("ferry: \(error)") }
            throw silent.isEmpty
                ? CommandFailure(
                    .notFound, code: "vm_not_found",
                    "there is no VM \(name) in cluster \(cluster.cluster)")
                : CommandFailure(
                    .unreachable, code: "unreachable",
                    "no host that answers has a VM \(name)")
        }
        return try agent(vm.host)
    }

    /// The agent named by `--on`, or the one that has the VM.
    func agent(withVM name: VMName, on host: HostName?) async throws -> AgentClient {
        if let host { return try agent(host) }
        return try await agent(withVM: name)
    }
}

extension ClusterFile {
    static let operatorName = "admin"
    var operatorKeys: String { "\(keysFolder)/operator-\(Self.operatorName)" }
}
