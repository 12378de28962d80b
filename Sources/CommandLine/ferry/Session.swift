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
    static func withConnection(
        to options: ClusterOptions, reporting output: OutputOptions,
        body: (Session) async throws -> Void
    ) async throws {
        try await reportFailures(to: output) { try await withConnection(to: options, body: body) }
    }

    /// The same; failures are the caller's.
    static func withConnection(
        to options: ClusterOptions, body: (Session) async throws -> Void
    ) async throws {
        let cluster = try CurrentCluster.loadClusterFile(named: options.cluster)
        let session = try Session(
            to: cluster, access: try chooseAccess(to: cluster, options: options))
        do {
            try await body(session)
            await session.closeClients()
        } catch {
            await session.closeClients()
            throw error
        }
    }

    private static func chooseAccess(
        to cluster: ClusterFile, options: ClusterOptions
    ) throws -> Access {
        let environment = ProcessInfo.processInfo.environment
        let keys = options.keys ?? environment["FERRY_KEYS"]
        guard let token = environment["FERRY_TOKEN"], !token.isEmpty else {
            return .keys(folder: keys ?? cluster.operatorKeys)
        }
        let folders = keys.map { [$0] } ?? [cluster.operatorKeys, cluster.authorityFolder]
        let authorities = folders.map { "\($0)/ca.pem" }
        guard let authority = authorities.first(where: File.isPresent) else {
            throw CommandFailure(
                .refused, code: "keys",
                message:
                    "with $FERRY_TOKEN the authority's certificate is needed to know the controllers by: put ca.pem into \(folders[0])"
            )
        }
        return .token(token, authority: authority)
    }

    init(to cluster: ClusterFile, access: Access) throws {
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
                    message:
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

    func closeClients() async {
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
                message:
                    "this talks to an agent, and agents know certificates only: unset FERRY_TOKEN and use an operator's keys"
            )
        }
    }

    /// The controllers' client, for what agents cannot do alone.
    func requireController(for what: String) throws(CommandFailure) -> ControllerClient {
        if let controller { return controller }
        throw CommandFailure(
            .refused, code: "no_controller",
            message:
                "\(what) needs a controller, and cluster \(cluster.cluster) has none: add `controllers:` to \(cluster.path) and start one, with `ferry up` or ferry-controller"
        )
    }

    func requireAgent(on name: HostName) throws -> AgentClient {
        guard let agent = try client.agentClient(named: name) else {
            throw CommandFailure(
                .notFound, code: "host_unknown",
                message:
                    "cluster \(cluster.cluster) has no host \(name); it has \(cluster.hosts.map(\.name.text).joined(separator: ", "))"
            )
        }
        return agent
    }

    /// The agent, when it can be talked to from here: with keys, and with its host in the cluster file.
    func agentIfReachable(on name: HostName) -> AgentClient? { agents?.agentClient(named: name) }
}

// MARK: - Where a VM is

extension Session {
    /// The VM as the controller keeps it; nil when it does not know it, or there is no controller.
    func findManagedVM(named name: VMName) async throws -> (ControllerClient, ClusterVM)? {
        guard let controller else { return nil }
        do throws(ClientError) {
            return (controller, try await controller.readClusterVM(named: name))
        } catch {
            guard case .problem(let problem, _) = error, problem.status == 404 else { throw error }
            return nil
        }
    }

    /// The agent named by `--on`, or the one that has the VM: by the controller's word, else by asking all.
    func locateAgent(ofVM name: VMName, on host: HostName?) async throws -> AgentClient {
        if let host { return try requireAgent(on: host) }
        // A VM that the cluster does not keep may be on any host.
        guard let (_, vm) = try await findManagedVM(named: name) else {
            return try await searchAgents(forVM: name)
        }
        guard let host = vm.host else {
            throw CommandFailure(
                .refused, code: "not_placed",
                message:
                    "VM \(name) is on no host: it is \(vm.state.rawValue)\(vm.reason.map { ", \($0)" } ?? "")"
            )
        }
        return try requireAgent(on: host)
    }

    /// The agent that has the VM. A VM that is still arriving somewhere is where it comes from.
    func searchAgents(forVM name: VMName) async throws -> AgentClient {
        let (vms, silent) = try await client.fetchAllVMs()
        let found = vms.filter { $0.name == name && $0.state != .incoming }
        if found.count > 1 {
            throw CommandFailure(
                .refused, code: "ambiguous",
                message:
                    "VM \(name) is on \(found.map(\.host.text).joined(separator: " and ")): say which with --on"
            )
        }
        guard let vm = found.first else {
            for error in silent { printErrorLine("ferry: \(error)") }
            // What a controller does not keep it would still have heard of.
            throw silent.isEmpty || controller != nil
                ? CommandFailure(
                    .notFound, code: "vm_not_found",
                    message: "there is no VM \(name) in cluster \(cluster.cluster)")
                : CommandFailure(
                    .unreachable, code: "unreachable",
                    message: "no host that answers has a VM \(name)")
        }
        return try requireAgent(on: vm.host)
    }
}

extension ClusterClient {
    /// Every VM of every host that answers, and the hosts that do not.
    func fetchAllVMs() async -> (vms: [VMInfo], silent: [ClientError]) {
        let answers = await queryAllAgents { agent throws(ClientError) in
            try await agent.listAllVMs()
        }
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
    func queryAllAgents<Value: Sendable>(
        using ask: @escaping @Sendable (AgentClient) async throws(ClientError) -> Value
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
