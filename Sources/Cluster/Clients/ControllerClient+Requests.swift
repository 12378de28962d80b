// The routes of the controllers, with a method for each.

package import API
package import Model

extension ControllerClient {
    package func cluster() async throws(ClientError) -> ClusterInfo {
        try await send(ControllerRoutes.cluster.request())
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
        let query = PageQuery(limit: limit, after: after.flatMap { HostName(parameter: $0) })
        return try await send(ControllerRoutes.listHosts.request(query: query))
    }
    package func host(_ name: HostName) async throws(ClientError) -> ClusterHost {
        try await send(ControllerRoutes.showHost.request(at: name))
    }
    package func forgetHost(named name: HostName) async throws(ClientError) {
        _ = try await send(ControllerRoutes.forgetHost.request(at: name))
    }
    package func planDrain(
        of name: HostName, with request: DrainHost = DrainHost()
    ) async throws(ClientError) -> PlanInfo {
        try await send(ControllerRoutes.planDrain.request(at: name, body: request))
    }
    package func drainHost(
        named name: HostName, with request: DrainHost = DrainHost()
    ) async throws(ClientError) -> OperationInfo {
        try await send(ControllerRoutes.drainHost.request(at: name, body: request))
    }
    package func endDrain(of name: HostName) async throws(ClientError) -> ClusterHost {
        try await send(ControllerRoutes.endDrain.request(at: name))
    }
    package func fenceHost(named name: HostName) async throws(ClientError) -> ClusterHost {
        try await send(
            ControllerRoutes.fenceHost.request(at: name, body: FenceHost(confirm: name)))
    }
    package func activateHost(
        named name: HostName, bringBack: Bool = false
    ) async throws(ClientError) -> ActivatedHost {
        try await send(
            ControllerRoutes.activateHost.request(
                at: name, body: ActivateHost(bringBack: bringBack)))
    }

    // VMs

    package func vms(
        limit: Int? = nil, after: String? = nil, host: HostName? = nil, state: ClusterVMState? = nil
    ) async throws(ClientError) -> Page<ClusterVM> {
        var query = VMListQuery()
        query.limit = limit
        query.after = after.flatMap { VMName(parameter: $0) }
        query.host = host
        query.state = state
        return try await send(ControllerRoutes.listVMs.request(query: query))
    }
    package func vm(_ name: VMName) async throws(ClientError) -> ClusterVM {
        try await send(ControllerRoutes.showVM.request(at: name))
    }
    package func create(_ request: CreateClusterVM) async throws(ClientError) -> ClusterVM {
        try await send(ControllerRoutes.createVM.request(body: request))
    }
    package func updateVM(
        named name: VMName, with request: UpdateClusterVM
    ) async throws(ClientError) -> ClusterVM {
        try await send(ControllerRoutes.updateVM.request(at: name, body: request))
    }
    package func delete(_ name: VMName) async throws(ClientError) -> ClusterVM {
        try await send(ControllerRoutes.deleteVM.request(at: name))
    }
    package func migrateVM(
        named name: VMName, to host: HostName? = nil
    ) async throws(ClientError) -> OperationInfo {
        try await send(ControllerRoutes.migrateVM.request(at: name, body: MigrateVM(to: host)))
    }
    package func explainPlacement(
        of request: ExplainPlacement
    ) async throws(ClientError) -> PlacementAnswer {
        try await send(ControllerRoutes.explainPlacement.request(body: request))
    }

    // Groups

    package func groups(
        limit: Int? = nil, after: String? = nil
    ) async throws(ClientError) -> Page<GroupInfo> {
        try await send(
            ControllerRoutes.listGroups.request(query: PageQuery(limit: limit, after: after)))
    }
    package func deleteGroup(named name: String) async throws(ClientError) {
        _ = try await send(ControllerRoutes.deleteGroup.request(at: GroupName(parameter: name)))
    }

    // Balance and maintenance

    package func balance() async throws(ClientError) -> BalanceInfo {
        try await send(ControllerRoutes.showBalance.request())
    }
    package func updateBalance(_ request: UpdateBalance) async throws(ClientError) -> BalanceInfo {
        try await send(ControllerRoutes.updateBalance.request(body: request))
    }
    package func planBalance() async throws(ClientError) -> PlanInfo {
        try await send(ControllerRoutes.planBalance.request())
    }
    package func runBalance() async throws(ClientError) -> OperationInfo {
        try await send(ControllerRoutes.runBalance.request())
    }
    package func planMaintenance(
        _ request: PlanMaintenance = PlanMaintenance()
    ) async throws(ClientError) -> MaintenancePlanInfo {
        try await send(ControllerRoutes.planMaintenance.request(body: request))
    }

    // Operations

    package func operations(
        limit: Int? = nil, after: String? = nil, state: OperationInfo.State? = nil
    ) async throws(ClientError) -> Page<OperationInfo> {
        var query = OperationListQuery()
        query.limit = limit
        query.after = after.flatMap { OperationID($0) }
        query.state = state
        return try await send(ControllerRoutes.listOperations.request(query: query))
    }
    package func operation(withID id: OperationID) async throws(ClientError) -> OperationInfo {
        try await send(ControllerRoutes.showOperation.request(at: id))
    }
    package func cancelOperation(withID id: OperationID) async throws(ClientError) -> OperationInfo
    {
        try await send(ControllerRoutes.cancelOperation.request(at: id))
    }

    // Tokens

    package func tokens(
        limit: Int? = nil, after: String? = nil
    ) async throws(ClientError) -> Page<TokenInfo> {
        try await send(
            ControllerRoutes.listTokens.request(query: PageQuery(limit: limit, after: after)))
    }
    package func createToken(_ request: CreateToken) async throws(ClientError) -> TokenInfo {
        try await send(ControllerRoutes.createToken.request(body: request))
    }
    package func deleteToken(named name: String) async throws(ClientError) {
        _ = try await send(ControllerRoutes.deleteToken.request(at: TokenName(parameter: name)))
    }

    // Agents' reports

    package func registerAgent(
        of name: HostName, with request: HostRegistration
    ) async throws(ClientError) -> HeartbeatAnswer {
        try await send(ControllerRoutes.registerAgent.request(at: name, body: request))
    }
    package func sendHeartbeat(
        of name: HostName, with request: Heartbeat
    ) async throws(ClientError) -> HeartbeatAnswer {
        try await send(ControllerRoutes.heartbeat.request(at: name, body: request))
    }

    // For programs

    package func openAPI() async throws(ClientError) -> [UInt8] {
        try await bytes(of: ControllerRoutes.openAPI.request())
    }
    /// In Prometheus's text format.
    package func metrics() async throws(ClientError) -> String {
        String(
            decoding: try await bytes(of: ControllerRoutes.metrics.request()), as: UTF8.self)
    }
}
