// The routes of the controllers, with a method for each.

package import API
package import Model

extension ControllerClient {
    package func readClusterInfo() async throws(ClientError) -> ClusterInfo {
        try await sendRequest(ControllerRoutes.cluster.makeRequest())
    }

    /// Every page of a list, one after the other.
    package func collectAllPages<Item>(
        using page: (_ after: String?) async throws(ClientError) -> Page<Item>
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

    package func listHosts(
        limit: Int? = nil, after: String? = nil
    ) async throws(ClientError) -> Page<ClusterHost> {
        let query = PageQuery(limit: limit, after: after.flatMap { HostName(parameter: $0) })
        return try await sendRequest(ControllerRoutes.listHosts.makeRequest(query: query))
    }
    package func readClusterHost(named name: HostName) async throws(ClientError) -> ClusterHost {
        try await sendRequest(ControllerRoutes.showHost.makeRequest(at: name))
    }
    package func forgetHost(named name: HostName) async throws(ClientError) {
        _ = try await sendRequest(ControllerRoutes.forgetHost.makeRequest(at: name))
    }
    package func planDrain(
        of name: HostName, with request: DrainHost = DrainHost()
    ) async throws(ClientError) -> PlanInfo {
        try await sendRequest(ControllerRoutes.planDrain.makeRequest(at: name, body: request))
    }
    package func drainHost(
        named name: HostName, with request: DrainHost = DrainHost()
    ) async throws(ClientError) -> OperationInfo {
        try await sendRequest(ControllerRoutes.drainHost.makeRequest(at: name, body: request))
    }
    package func endHostDrain(of name: HostName) async throws(ClientError) -> ClusterHost {
        try await sendRequest(ControllerRoutes.endDrain.makeRequest(at: name))
    }
    package func fenceHost(named name: HostName) async throws(ClientError) -> ClusterHost {
        try await sendRequest(
            ControllerRoutes.fenceHost.makeRequest(at: name, body: FenceHost(confirm: name)))
    }
    package func activateHost(
        named name: HostName, bringBack: Bool = false
    ) async throws(ClientError) -> ActivatedHost {
        try await sendRequest(
            ControllerRoutes.activateHost.makeRequest(
                at: name, body: ActivateHost(bringBack: bringBack)))
    }

    // VMs

    package func listClusterVMs(
        limit: Int? = nil, after: String? = nil, host: HostName? = nil, state: ClusterVMState? = nil
    ) async throws(ClientError) -> Page<ClusterVM> {
        var query = VMListQuery()
        query.limit = limit
        query.after = after.flatMap { VMName(parameter: $0) }
        query.host = host
        query.state = state
        return try await sendRequest(ControllerRoutes.listVMs.makeRequest(query: query))
    }
    package func readClusterVM(named name: VMName) async throws(ClientError) -> ClusterVM {
        try await sendRequest(ControllerRoutes.showVM.makeRequest(at: name))
    }
    package func createVM(with request: CreateClusterVM) async throws(ClientError) -> ClusterVM {
        try await sendRequest(ControllerRoutes.createVM.makeRequest(body: request))
    }
    package func updateVM(
        named name: VMName, with request: UpdateClusterVM
    ) async throws(ClientError) -> ClusterVM {
        try await sendRequest(ControllerRoutes.updateVM.makeRequest(at: name, body: request))
    }
    package func deleteVM(named name: VMName) async throws(ClientError) -> ClusterVM {
        try await sendRequest(ControllerRoutes.deleteVM.makeRequest(at: name))
    }
    package func migrateVM(
        named name: VMName, to host: HostName? = nil
    ) async throws(ClientError) -> OperationInfo {
        try await sendRequest(
            ControllerRoutes.migrateVM.makeRequest(at: name, body: MigrateVM(to: host)))
    }
    package func explainPlacement(
        of request: ExplainPlacement
    ) async throws(ClientError) -> PlacementAnswer {
        try await sendRequest(ControllerRoutes.explainPlacement.makeRequest(body: request))
    }

    // Groups

    package func listGroups(
        limit: Int? = nil, after: String? = nil
    ) async throws(ClientError) -> Page<GroupInfo> {
        try await sendRequest(
            ControllerRoutes.listGroups.makeRequest(query: PageQuery(limit: limit, after: after)))
    }
    package func deleteGroup(named name: String) async throws(ClientError) {
        _ = try await sendRequest(
            ControllerRoutes.deleteGroup.makeRequest(at: GroupName(parameter: name)))
    }

    // Balance and maintenance

    package func readBalanceInfo() async throws(ClientError) -> BalanceInfo {
        try await sendRequest(ControllerRoutes.showBalance.makeRequest())
    }
    package func updateBalance(with request: UpdateBalance) async throws(ClientError) -> BalanceInfo
    {
        try await sendRequest(ControllerRoutes.updateBalance.makeRequest(body: request))
    }
    package func planBalance() async throws(ClientError) -> PlanInfo {
        try await sendRequest(ControllerRoutes.planBalance.makeRequest())
    }
    package func runBalance() async throws(ClientError) -> OperationInfo {
        try await sendRequest(ControllerRoutes.runBalance.makeRequest())
    }
    package func planMaintenance(
        with request: PlanMaintenance = PlanMaintenance()
    ) async throws(ClientError) -> MaintenancePlanInfo {
        try await sendRequest(ControllerRoutes.planMaintenance.makeRequest(body: request))
    }

    // Operations

    package func listOperations(
        limit: Int? = nil, after: String? = nil, inState state: OperationInfo.State? = nil
    ) async throws(ClientError) -> Page<OperationInfo> {
        var query = OperationListQuery()
        query.limit = limit
        query.after = after.flatMap { OperationID($0) }
        query.state = state
        return try await sendRequest(ControllerRoutes.listOperations.makeRequest(query: query))
    }
    package func operation(withID id: OperationID) async throws(ClientError) -> OperationInfo {
        try await sendRequest(ControllerRoutes.showOperation.makeRequest(at: id))
    }
    package func cancelOperation(withID id: OperationID) async throws(ClientError) -> OperationInfo
    {
        try await sendRequest(ControllerRoutes.cancelOperation.makeRequest(at: id))
    }

    // Tokens

    package func listTokens(
        limit: Int? = nil, after: String? = nil
    ) async throws(ClientError) -> Page<TokenInfo> {
        try await sendRequest(
            ControllerRoutes.listTokens.makeRequest(query: PageQuery(limit: limit, after: after)))
    }
    package func createToken(with request: CreateToken) async throws(ClientError) -> TokenInfo {
        try await sendRequest(ControllerRoutes.createToken.makeRequest(body: request))
    }
    package func deleteToken(named name: String) async throws(ClientError) {
        _ = try await sendRequest(
            ControllerRoutes.deleteToken.makeRequest(at: TokenName(parameter: name)))
    }

    // Agents' reports

    package func registerAgent(
        of name: HostName, with request: HostRegistration
    ) async throws(ClientError) -> HeartbeatAnswer {
        try await sendRequest(ControllerRoutes.registerAgent.makeRequest(at: name, body: request))
    }
    package func sendHeartbeat(
        of name: HostName, with request: Heartbeat
    ) async throws(ClientError) -> HeartbeatAnswer {
        try await sendRequest(ControllerRoutes.heartbeat.makeRequest(at: name, body: request))
    }

    // For programs

    package func readAPIDocument() async throws(ClientError) -> [UInt8] {
        try await fetchAnswerBytes(for: ControllerRoutes.openAPI.makeRequest())
    }
    /// In Prometheus's text format.
    package func readMetrics() async throws(ClientError) -> String {
        String(
            decoding: try await fetchAnswerBytes(for: ControllerRoutes.metrics.makeRequest()),
            as: UTF8.self)
    }
}
