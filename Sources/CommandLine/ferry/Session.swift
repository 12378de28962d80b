// What a command works with: the cluster, its controllers where it has some, its agents.

import API
import Clients
import ClusterFile
import Foundation
import Host
import Model

/// A cluster to talk to.
struct Session {
    let cluster: ClusterFile
    /// Nil when the cluster file names no controllers.
    let controller: ControllerClient?
    /// Nil with a token: agents know certificates only.
    private let agents: ClusterClient?

    /// Opens the cluster and calls with it; closes it whatever happens. Failures are told as `output` says.
    static func with(
        _ options: ClusterOptions, reporting output: OutputOptions,
        _ body: (Session) async throws -> Void
    ) async throws {
        try await reporting(output) { try await with(options, body) }
    }

    /// The same; failures are the caller's.
    static func with(
        _ options: ClusterOptions, _ body: (Session) async throws -> Void
    ) async throws {
        let cluster = try CurrentCluster.find(options.cluster)
        let session = try Session(cluster, access: try access(to: cluster, options))
        do {
            try await body(session)
            await session.close()
        } catch {
            await session.close()
            throw error
        }
    }

    private static func access(
        to cluster: ClusterFile, _ options: ClusterOptions
    ) throws -> Access {
        let environment = ProcessInfo.processInfo.environment
        let keys = options.keys ?? environment["FERRY_KEYS"]
        guard let token = environment["FERRY_TOKEN"], !token.isEmpty else {
            return .keys(folder: keys ?? cluster.operatorKeys)
        }
        let folders = keys.map { [$0] } ?? [cluster.operatorKeys, cluster.authorityFolder]
        let authorities = folders.map { "\($0)/ca.pem" }
        guard let authority = authorities.first(where: File.isThere) else {
            throw CommandFailure(
                .refused, code: "keys",
                "with $FERRY_TOKEN the authority's certificate is needed to know the controllers by: put ca.pem into \(folders[0])"
            )
        }
        return .token(token, authority: authority)
    }

    init(_ cluster: ClusterFile, access: Access) throws {
        self.cluster = cluster
        let addresses = cluster.controllers.map {
            HostAddress(
                cluster: cluster.cluster, role: .controller, name: $0.name, ip: $0.api.ip,
                port: Int($0.api.port))
        }
        guard case .keys(let folder) = access else {
            guard !addresses.isEmpty else {
                throw CommandFailure(
                    .refused, code: "no_controller",
                    "$FERRY_TOKEN is for controllers, and \(cluster.path) names none: unset it and use keys"
                )
            }
            agents = nil
            controller = try ControllerClient(controllers: addresses, access: access)
            return
        }
        agents = try ClusterClient(
            hosts: cluster.hosts.map {
                HostAddress(
                    cluster: cluster.cluster, name: $0.name, ip: $0.api.ip, port: Int($0.api.port))
            }, keysFolder: folder)
        controller =
            addresses.isEmpty
            ? nil : try ControllerClient(controllers: addresses, access: access)
    }

    func close() async {
        await agents?.shutdown()
        await controller?.shutdown()
    }

    /// There is a token, and agents know certificates only.
    var hasOnlyControllers: Bool { agents == nil }

    /// The agents' client; refused with a token.
    var client: ClusterClient {
        get throws(CommandFailure) {
            if let agents { return agents }
            throw CommandFailure(
                .refused, code: "needs_keys",
                "this talks to an agent, and agents know certificates only: unset FERRY_TOKEN and use an operator's keys"
            )
        }
    }

    /// The controllers' client, for what agents cannot do alone.
    func neededController(for what: String) throws(CommandFailure) -> ControllerClient {
        if let controller { return controller }
        throw CommandFailure(
            .refused, code: "no_controller",
            "\(what) needs a controller, and cluster \(cluster.cluster) has none: add `controllers:` to \(cluster.path) and start one, with `ferry up` or ferry-controller"
        )
    }

    func agent(_ name: HostName) throws -> AgentClient {
        guard let agent = try client.host(name) else {
            throw CommandFailure(
                .notFound, code: "host_unknown",
                "cluster \(cluster.cluster) has no host \(name); it has \(cluster.hosts.map(\.name.text).joined(separator: ", "))"
            )
        }
        return agent
    }

    /// The agent, when it can be talked to from here: with keys, and with its host in the cluster file.
    func agentIfReachable(_ name: HostName) -> AgentClient? { agents?.host(name) }
}

// MARK: - Where a VM is

extension Session {
    /// The VM as the controller keeps it; nil when it does not know it, or there is no controller.
    func keptVM(_ name: VMName) async throws -> (ControllerClient, ClusterVM)? {
        guard let controller else { return nil }
        do throws(ClientError) { return (controller, try await controller.vm(name)) } catch {
            guard case .problem(let problem, _) = error, problem.status == 404 else { throw error }
            return nil
        }
    }

    /// The agent named by `--on`, or the one that has the VM: by the controller's word, else by asking all.
    func agent(withVM name: VMName, on host: HostName?) async throws -> AgentClient {
        if let host { return try agent(host) }
        // A VM that the cluster does not keep may be on any host.
        guard let (_, vm) = try await keptVM(name) else {
            return try await agent(withVM: name)
        }
        guard let host = vm.host else {
            throw CommandFailure(
                .refused, code: "not_placed",
                "VM \(name) is on no host: it is \(vm.state.rawValue)\(vm.reason.map { ", \($0)" } ?? "")"
            )
        }
        return try agent(host)
    }

    /// The agent that has the VM. A VM that is still arriving somewhere is where it comes from.
    func agent(withVM name: VMName) async throws -> AgentClient {
        let (vms, silent) = try await client.allVMs()
        let found = vms.filter { $0.name == name && $0.state != .incoming }
        if found.count > 1 {
            throw CommandFailure(
                .refused, code: "ambiguous",
                "VM \(name) is on \(found.map(\.host.text).joined(separator: " and ")): say which with --on"
            )
        }
        guard let vm = found.first else {
            for error in silent { printError("ferry: \(error)") }
            // What a controller does not keep it would still have heard of.
            throw silent.isEmpty || controller != nil
                ? CommandFailure(
                    .notFound, code: "vm_not_found",
                    "there is no VM \(name) in cluster \(cluster.cluster)")
                : CommandFailure(
                    .unreachable, code: "unreachable",
                    "no host that answers has a VM \(name)")
        }
        return try agent(vm.host)
    }
}

extension ClusterClient {
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
        let agents = agents
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
}

extension ClusterFile {
    static let operatorName = "admin"
    var operatorKeys: String { "\(keysFolder)/operator-\(Self.operatorName)" }
}
