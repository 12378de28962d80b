// A client of one agent, with a method for each of its routes.

package import API
package import Model
import NIOHTTP1

package struct AgentClient: Sendable {
    private var endpoint: Endpoint

    init(endpoint: Endpoint) { self.endpoint = endpoint }

    package var address: HostAddress { endpoint.address }
    package var name: HostName { address.name }

    /// The same agent, told by the controller of a term.
    package func commanded(inTerm term: UInt64) -> AgentClient {
        var agent = self
        agent.endpoint.headers.append((termHeader, "\(term)"))
        return agent
    }

    package func readHostInfo() async throws(ClientError) -> HostInfo {
        try await sendRequest(AgentRoutes.host.makeRequest())
    }

    package func listAllVMs() async throws(ClientError) -> [VMInfo] {
        try await sendRequest(AgentRoutes.listVMs.makeRequest()).vms
    }
    package func readVMInfo(named name: VMName) async throws(ClientError) -> VMInfo {
        try await sendRequest(AgentRoutes.showVM.makeRequest(at: name))
    }
    package func createVM(with request: CreateVM) async throws(ClientError) -> VMInfo {
        try await sendRequest(AgentRoutes.createVM.makeRequest(body: request))
    }
    package func restoreVM(with request: RestoreVM) async throws(ClientError) -> VMInfo {
        try await sendRequest(
            AgentRoutes.restoreVM.makeRequest(body: request), within: Limits.saveTimeout)
    }
    /// - Parameter id: what the VM must have; nil for any.
    package func deleteVM(named name: VMName, id: VMID? = nil) async throws(ClientError) {
        _ = try await sendRequest(
            AgentRoutes.deleteVM.makeRequest(at: name, query: DeleteVMQuery(id: id)))
    }
    package func performAction(_ action: VMAction, on name: VMName) async throws(ClientError)
        -> VMInfo
    {
        try await sendRequest(AgentRoutes.actionRoute(for: action).makeRequest(at: name))
    }
    package func saveVMToFile(named name: VMName, with request: SaveVM) async throws(ClientError)
        -> SavedVM
    {
        try await sendRequest(
            AgentRoutes.saveVM.makeRequest(at: name, body: request), within: Limits.saveTimeout)
    }

    package func readConsoleLog(of name: VMName, tailBytes: Int? = nil) async throws(ClientError)
        -> [UInt8]
    {
        let request = AgentRoutes.readLog.makeRequest(at: name, query: LogQuery(tail: tailBytes))
        return try await endpoint.fetchAnswerBody(to: Endpoint.Call(request, to: address))
    }
    package func sendConsoleInput(_ bytes: [UInt8], to name: VMName) async throws(ClientError) {
        var call = try Endpoint.Call(AgentRoutes.writeConsole.makeRequest(at: name), to: address)
        call.body = bytes
        _ = try await endpoint.fetchAnswerBody(to: call)
    }
    /// Calls with each piece of the console's output, until the VM ends or `body` returns false.
    package func followConsole(
        of name: VMName, receiving body: (ArraySlice<UInt8>) async throws -> Bool
    ) async throws(ClientError) {
        try await endpoint.streamAnswer(
            to: AgentRoutes.readConsole.makeRequest(at: name), receiving: body)
    }

    package func readRecoveryInfo(named name: VMName) async throws(ClientError) -> RecoveryInfo {
        try await sendRequest(AgentRoutes.showRecovery.makeRequest(at: VMReference(name)))
    }
    package func readRecoveryInfo(withID id: VMID) async throws(ClientError) -> RecoveryInfo {
        try await sendRequest(AgentRoutes.showRecovery.makeRequest(at: VMReference(id)))
    }
    package func recoverVM(
        with request: RecoverVM, on name: VMName
    ) async throws(ClientError) -> RecoveryInfo {
        try await sendRequest(AgentRoutes.recoverVM.makeRequest(at: name, body: request))
    }
    package func checkConsistency() async throws(ClientError) -> HostCheck {
        try await sendRequest(AgentRoutes.audit.makeRequest())
    }

    package func startMigration(with request: StartMigration) async throws(ClientError)
        -> MigrationInfo
    {
        try await sendRequest(AgentRoutes.startMigration.makeRequest(body: request))
    }
    package func migrations() async throws(ClientError) -> [MigrationInfo] {
        try await sendRequest(AgentRoutes.listMigrations.makeRequest()).migrations
    }
    package func migration(withID id: MigrationID) async throws(ClientError) -> MigrationInfo {
        try await sendRequest(AgentRoutes.showMigration.makeRequest(at: id))
    }
    package func cancelMigration(withID id: MigrationID) async throws(ClientError) -> MigrationInfo
    {
        try await sendRequest(AgentRoutes.cancelMigration.makeRequest(at: id))
    }

    /// The description of the agent's API.
    package func readAPIDocument() async throws(ClientError) -> [UInt8] {
        try await endpoint.fetchAnswerBody(
            to: Endpoint.Call(AgentRoutes.openAPI.makeRequest(), to: address))
    }

    /// Any request, as it is: for what the typed ones cannot say.
    package func sendRawRequest(
        method: String, path: String, body: [UInt8]? = nil
    ) async throws(ClientError) -> [UInt8] {
        try await endpoint.fetchAnswerBody(
            to: Endpoint.Call(method: HTTPMethod(rawValue: method), path: path, body: body))
    }

    /// Follows a migration to its end, several reports a second.
    package func followMigration(
        withID id: MigrationID, reporting report: (MigrationInfo) async -> Void
    ) async throws(ClientError) -> MigrationInfo {
        var lines = LineReader(from: name)
        var last: MigrationInfo?
        try await endpoint.streamAnswer(to: AgentRoutes.followMigration.makeRequest(at: id)) {
            part in
            for line in try lines.completed(byAppending: part) {
                let info: MigrationInfo = try endpoint.decodeAnswer(from: line)
                last = info
                await report(info)
            }
            return true
        }
        // The stream ends early when the agent shuts down: then the record is read.
        if let last, last.isOver { return last }
        return try await migration(withID: id)
    }

    private func sendRequest<Answer>(
        _ request: RouteRequest<Answer>, within limit: Duration = Limits.answerTimeout
    ) async throws(ClientError) -> Answer {
        try await endpoint.sendRequest(request, within: limit)
    }
}
