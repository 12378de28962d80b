// The controller's API as the load test uses it.

import API
import Client
import FoundationEssentials
import Model
import SimulatedAgents

/// One HTTP client. Call `shutdown` when done.
struct ControllerCalls: Sendable {
    private let client: ClusterClient
    private let controller: AgentClient

    init(_ address: ControllerAddress, keysFolder: String) throws {
        var host = HostAddress(
            cluster: address.identity.cluster, name: address.identity.name, ip: address.ip,
            port: address.port)
        host.identity = address.identity
        client = try ClusterClient(hosts: [host], keysFolder: keysFolder)
        controller = client.agents[0]
    }

    func shutdown() async { await client.shutdown() }

    func cluster() async throws -> ClusterInfo { try await get(ClusterPaths.cluster) }
    func hosts() async throws -> [ClusterHost] { try await all(ClusterPaths.hosts) }
    func vms() async throws -> [ClusterVM] { try await all(ClusterPaths.vms) }
    func vm(_ name: VMName) async throws -> ClusterVM { try await get(ClusterPaths.vm(name)) }
    func create(_ vm: CreateClusterVM) async throws -> ClusterVM {
        try await post(ClusterPaths.vms, vm)
    }
    func explain(_ vm: CreateClusterVM) async throws -> PlacementAnswer {
        try await post(ClusterPaths.explain, ExplainPlacement(new: vm))
    }
    func balancePlan() async throws -> PlanInfo {
        try await post(ClusterPaths.balancePlan, [String: String]())
    }
    func drainPlan(_ host: HostName) async throws -> PlanInfo {
        try await post(ClusterPaths.drainPlan(host), DrainHost())
    }
    func metrics() async throws -> String {
        String(decoding: try await controller.raw("GET", ClusterPaths.metrics), as: UTF8.self)
    }

    private func all<Item: Hashable & Sendable & Codable>(_ path: String) async throws -> [Item] {
        var items: [Item] = []
        var after: String?
        repeat {
            let page: Page<Item> = try await get(
                path + "?limit=500" + (after.map { "&after=\($0)" } ?? ""))
            items += page.items
            after = page.next
        } while after != nil
        return items
    }

    private func get<Answer: Decodable>(_ path: String) async throws -> Answer {
        try JSONDecoder().decode(Answer.self, from: Data(try await controller.raw("GET", path)))
    }

    private func post<Answer: Decodable>(
        _ path: String, _ message: some Encodable
    ) async throws -> Answer {
        let body = Array(try JSONEncoder().encode(message))
        let answer = try await controller.raw("POST", path, body: body)
        return try JSONDecoder().decode(Answer.self, from: Data(answer))
    }
}
