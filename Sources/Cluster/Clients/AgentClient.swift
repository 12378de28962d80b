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

    package func host() async throws(ClientError) -> HostInfo {
        try await send(AgentRoutes.host.request())
    }

    package func vms() async throws(ClientError) -> [VMInfo] {
        try await send(AgentRoutes.listVMs.request()).vms
    }
    package func vm(_ name: VMName) async throws(ClientError) -> VMInfo {
        try await send(AgentRoutes.showVM.request(at: name))
    }
    package func create(_ request: CreateVM) async throws(ClientError) -> VMInfo {
        try await send(AgentRoutes.createVM.request(body: request))
    }
    package func restore(_ request: RestoreVM) async throws(ClientError) -> VMInfo {
        try await send(AgentRoutes.restoreVM.request(body: request), within: Limits.saveTimeout)
    }
    /// - Parameter id: what the VM must have; nil for any.
    package func delete(_ name: VMName, id: VMID? = nil) async throws(ClientError) {
        _ = try await send(AgentRoutes.deleteVM.request(at: name, query: DeleteVMQuery(id: id)))
    }
    package func perform(_ action: VMAction, on name: VMName) async throws(ClientError) -> VMInfo {
        try await send(AgentRoutes.perform(action).request(at: name))
    }
    package func saveVM(named name: VMName, with request: SaveVM) async throws(ClientError)
        -> SavedVM
    {
        try await send(
            AgentRoutes.saveVM.request(at: name, body: request), within: Limits.saveTimeout)
    }

    package func log(of name: VMName, tailBytes: Int? = nil) async throws(ClientError) -> [UInt8] {
        let request = AgentRoutes.readLog.request(at: name, query: LogQuery(tail: tailBytes))
        return try await endpoint.send(Endpoint.Call(request, to: address))
    }
    package func sendConsoleInput(_ bytes: [UInt8], to name: VMName) async throws(ClientError) {
        var call = try Endpoint.Call(AgentRoutes.writeConsole.request(at: name), to: address)
        call.body = bytes
        _ = try await endpoint.send(call)
    }
    /// Calls with each piece of the console's output, until the VM ends or `body` returns false.
    package func followConsole(
        of name: VMName, receiving body: (ArraySlice<UInt8>) async throws -> Bool
    ) async throws(ClientError) {
        try await endpoint.stream(AgentRoutes.readConsole.request(at: name), receiving: body)
    }

    package func recovery(of name: VMName) async throws(ClientError) -> RecoveryInfo {
        try await send(AgentRoutes.showRecovery.request(at: VMReference(name)))
    }
    package func recovery(ofID id: VMID) async throws(ClientError) -> RecoveryInfo {
        try await send(AgentRoutes.showRecovery.request(at: VMReference(id)))
    }
    package func recover(
        _ request: RecoverVM, on name: VMName
    ) async throws(ClientError) -> RecoveryInfo {
        try await send(AgentRoutes.recoverVM.request(at: name, body: request))
    }
    package func audit() async throws(ClientError) -> HostAudit {
        try await send(AgentRoutes.audit.request())
    }

    package func start(_ request: StartMigration) async throws(ClientError) -> MigrationInfo {
        try await send(AgentRoutes.startMigration.request(body: request))
    }
    package func migrations() async throws(ClientError) -> [MigrationInfo] {
        try await send(AgentRoutes.listMigrations.request()).migrations
    }
    package func migration(withID id: MigrationID) async throws(ClientError) -> MigrationInfo {
        try await send(AgentRoutes.showMigration.request(at: id))
    }
    package func cancelMigration(withID id: MigrationID) async throws(ClientError) -> MigrationInfo
    {
        try await send(AgentRoutes.cancelMigration.request(at: id))
    }

    /// The description of the agent's API.
    package func openAPI() async throws(ClientError) -> [UInt8] {
        try await endpoint.send(Endpoint.Call(AgentRoutes.openAPI.request(), to: address))
    }

    /// Any request, as it is: for what the typed ones cannot say.
    package func raw(
        method: String, path: String, body: [UInt8]? = nil
    ) async throws(ClientError) -> [UInt8] {
        try await endpoint.send(
            Endpoint.Call(method: HTTPMethod(rawValue: method), path: path, body: body))
    }

    /// Follows a migration to its end, several reports a second.
    package func followMigration(
        withID id: MigrationID, reporting report: (MigrationInfo) async -> Void
    ) async throws(ClientError) -> MigrationInfo {
        var lines = LineReader(from: name)
        var last: MigrationInfo?
        try await endpoint.stream(AgentRoutes.followMigration.request(at: id)) { part in
            for line in try lines.completed(byAppending: part) {
                let info: MigrationInfo = try endpoint.decode(line)
                last = info
                await report(info)
            }
            return true
        }
        // The stream ends early when the agent shuts down: then the record is read.
        if let last, last.isOver { return last }
        return try await migration(withID: id)
    }

    private func send<Answer>(
        _ request: RouteRequest<Answer>, within limit: Duration = Limits.answerTimeout
    ) async throws(ClientError) -> Answer {
        try await endpoint.send(request, within: limit)
    }
}
