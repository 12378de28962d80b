// The controllers' API, a method a request.

package import API
package import Model
import NIOHTTP1

extension ControllerClient {
    package func cluster() async throws(ClientError) -> ClusterInfo {
        try await get(ClusterPaths.cluster)
    }

    /// Every page of a list, one after the other.
    package func all<Item>(
        _ page: (_ after: String?) async throws(ClientError) -> Page<Item>
    ) async throws(ClientError) -> [Item] {
        var items: [Item] = []
        var after: String?
        repeat {
            let page = try await page(after)
            items += page.items
            after = page.next
        } while after != nil
        return items
    }

    // Hosts

    package func hosts(
        limit: Int? = nil, after: String? = nil
    ) async throws(ClientError) -> Page<ClusterHost> {
        try await get(ClusterPaths.hosts + query(limit, after))
    }
    package func host(_ name: HostName) async throws(ClientError) -> ClusterHost {
        try await get(ClusterPaths.host(name))
    }
    package func forget(_ name: HostName) async throws(ClientError) {
        try await send(.DELETE, ClusterPaths.host(name))
    }
    package func planDrain(
        _ name: HostName, _ request: DrainHost = DrainHost()
    ) async throws(ClientError) -> PlanInfo {
        try await send(.POST, ClusterPaths.drainPlan(name), request)
    }
    package func drain(
        _ name: HostName, _ request: DrainHost = DrainHost()
    ) async throws(ClientError) -> OperationInfo {
        try await send(.POST, ClusterPaths.drain(name), request)
    }
    package func endDrain(_ name: HostName) async throws(ClientError) -> ClusterHost {
        try await send(.DELETE, ClusterPaths.drain(name))
    }
    package func fence(_ name: HostName) async throws(ClientError) -> ClusterHost {
        try await send(.POST, ClusterPaths.fence(name), FenceHost(confirm: name))
    }

    package enum Activated: Hashable, Sendable {
        case host(ClusterHost)
        /// VMs are brought back.
        case bringingBack(OperationInfo)
    }

    package func activate(
        _ name: HostName, bringBack: Bool = false
    ) async throws(ClientError) -> Activated {
        let (endpoint, answer) = try await ask(
            .POST, ClusterPaths.activate(name), body: bytes(ActivateHost(bringBack: bringBack)))
        let body = try endpoint.checked(answer)
        return answer.status == 202
            ? .bringingBack(try endpoint.decode(body)) : .host(try endpoint.decode(body))
    }

    // VMs

    package func vms(
        limit: Int? = nil, after: String? = nil, host: HostName? = nil, state: ClusterVMState? = nil
    ) async throws(ClientError) -> Page<ClusterVM> {
        try await get(
            ClusterPaths.vms
                + query(limit, after, ("host", host?.text), ("state", state?.rawValue)))
    }
    package func vm(_ name: VMName) async throws(ClientError) -> ClusterVM {
        try await get(ClusterPaths.vm(name))
    }
    package func create(_ request: CreateClusterVM) async throws(ClientError) -> ClusterVM {
        try await send(.POST, ClusterPaths.vms, request)
    }
    package func update(
        _ name: VMName, _ request: UpdateClusterVM
    ) async throws(ClientError) -> ClusterVM {
        try await send(.PATCH, ClusterPaths.vm(name), request)
    }
    package func delete(_ name: VMName) async throws(ClientError) -> ClusterVM {
        try await send(.DELETE, ClusterPaths.vm(name))
    }
    package func migrate(
        _ name: VMName, to host: HostName? = nil
    ) async throws(ClientError) -> OperationInfo {
        try await send(.POST, ClusterPaths.migrate(name), MigrateVM(to: host))
    }
    package func explain(
        _ request: ExplainPlacement
    ) async throws(ClientError) -> PlacementAnswer {
        try await send(.POST, ClusterPaths.explain, request)
    }

    // Groups

    package func groups(
        limit: Int? = nil, after: String? = nil
    ) async throws(ClientError) -> Page<GroupInfo> {
        try await get(ClusterPaths.groups + query(limit, after))
    }
    package func deleteGroup(_ name: String) async throws(ClientError) {
        try await send(.DELETE, ClusterPaths.group(percentEncoded(name)))
    }

    // Balance and maintenance

    package func balance() async throws(ClientError) -> BalanceInfo {
        try await get(ClusterPaths.balance)
    }
    package func update(_ request: UpdateBalance) async throws(ClientError) -> BalanceInfo {
        try await send(.PATCH, ClusterPaths.balance, request)
    }
    package func planBalance() async throws(ClientError) -> PlanInfo {
        try await send(.POST, ClusterPaths.balancePlan, nil)
    }
    package func runBalance() async throws(ClientError) -> OperationInfo {
        try await send(.POST, ClusterPaths.balanceRun, nil)
    }
    package func planMaintenance(
        _ request: PlanMaintenance = PlanMaintenance()
    ) async throws(ClientError) -> MaintenancePlanInfo {
        try await send(.POST, ClusterPaths.maintenancePlan, request)
    }

    // Operations

    package func operations(
        limit: Int? = nil, after: String? = nil, state: OperationInfo.State? = nil
    ) async throws(ClientError) -> Page<OperationInfo> {
        try await get(ClusterPaths.operations + query(limit, after, ("state", state?.rawValue)))
    }
    package func operation(_ id: OperationID) async throws(ClientError) -> OperationInfo {
        try await get(ClusterPaths.operation(id))
    }
    package func cancel(_ id: OperationID) async throws(ClientError) -> OperationInfo {
        try await send(.DELETE, ClusterPaths.operation(id))
    }

    // Tokens

    package func tokens(
        limit: Int? = nil, after: String? = nil
    ) async throws(ClientError) -> Page<TokenInfo> {
        try await get(ClusterPaths.tokens + query(limit, after))
    }
    package func create(_ request: CreateToken) async throws(ClientError) -> TokenInfo {
        try await send(.POST, ClusterPaths.tokens, request)
    }
    package func deleteToken(_ name: String) async throws(ClientError) {
        try await send(.DELETE, ClusterPaths.token(percentEncoded(name)))
    }

    // What agents say

    package func register(
        _ name: HostName, _ request: HostRegistration
    ) async throws(ClientError) -> HeartbeatAnswer {
        try await send(.PUT, ClusterPaths.agent(name), request)
    }
    package func heartbeat(
        _ name: HostName, _ request: Heartbeat
    ) async throws(ClientError) -> HeartbeatAnswer {
        try await send(.POST, ClusterPaths.heartbeat(name), request)
    }

    // For programs

    package func openAPI() async throws(ClientError) -> [UInt8] {
        try await raw("GET", ClusterPaths.openAPI).body
    }
    /// In Prometheus's text format.
    package func metrics() async throws(ClientError) -> String {
        String(decoding: try await raw("GET", ClusterPaths.metrics).body, as: UTF8.self)
    }

    private func query(
        _ limit: Int?, _ after: String?, _ others: (name: String, value: String?)...
    ) -> String {
        let all = [("limit", limit.map { "\($0)" }), ("after", after)] + others
        let given = all.compactMap { (name, value) in
            value.map { "\(name)=\(percentEncoded($0))" }
        }
        return given.isEmpty ? "" : "?" + given.joined(separator: "&")
    }
}

/// For one part of a path or one value of a query (RFC 3986: all but its unreserved characters are encoded).
func percentEncoded(_ text: String) -> String {
    func isUnreserved(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."),
            UInt8(ascii: "_"), UInt8(ascii: "~"):
            true
        default: false
        }
    }
    return text.utf8.map { byte in
        isUnreserved(byte)
            ? String(UnicodeScalar(byte))
            : "%" + byte.hexadecimal(digits: 2).uppercased()
    }.joined()
}
