// One agent's API, a method a request.

package import API
package import Model
import NIOCore
import NIOHTTP1

package struct AgentClient: Sendable {
    private var endpoint: Endpoint

    init(endpoint: Endpoint) { self.endpoint = endpoint }

    package var address: HostAddress { endpoint.address }
    package var name: HostName { address.name }

    /// The same agent, told by the controller of a term.
    package func commanded(in term: UInt64) -> AgentClient {
        var agent = self
        agent.endpoint.headers.append((termHeader, "\(term)"))
        return agent
    }

    package func host() async throws(ClientError) -> HostInfo { try await get(Paths.host) }

    package func vms() async throws(ClientError) -> [VMInfo] {
        try await (get(Paths.vms) as VMList).vms
    }
    package func vm(_ name: VMName) async throws(ClientError) -> VMInfo {
        try await get(Paths.vm(name))
    }
    package func create(_ request: CreateVM) async throws(ClientError) -> VMInfo {
        try await post(Paths.vms, request)
    }
    package func restore(_ request: RestoreVM) async throws(ClientError) -> VMInfo {
        try await post(Paths.restore, request, within: Limits.saveTimeout)
    }
    /// - Parameter id: what the VM must have; nil for any.
    package func delete(_ name: VMName, id: VMID? = nil) async throws(ClientError) {
        _ = try await endpoint.send(.DELETE, id.map { Paths.vm(name, id: $0) } ?? Paths.vm(name))
    }
    package func perform(_ action: VMAction, on name: VMName) async throws(ClientError) -> VMInfo {
        try endpoint.decode(await endpoint.send(.POST, Paths.action(action, on: name)))
    }
    package func save(_ name: VMName, _ request: SaveVM) async throws(ClientError) -> SavedVM {
        try await post(Paths.save(name), request, within: Limits.saveTimeout)
    }
    package func log(_ name: VMName, tailBytes: Int? = nil) async throws(ClientError) -> [UInt8] {
        try await endpoint.send(.GET, Paths.log(name) + (tailBytes.map { "?tail=\($0)" } ?? ""))
    }
    package func sendConsoleInput(_ bytes: [UInt8], to name: VMName) async throws(ClientError) {
        _ = try await endpoint.send(.POST, Paths.console(name), body: bytes)
    }

    package func recovery(_ name: VMName) async throws(ClientError) -> RecoveryInfo {
        try await get(Paths.recovery(name))
    }
    package func recovery(_ id: VMID) async throws(ClientError) -> RecoveryInfo {
        try await get(Paths.recovery(id))
    }
    package func rule(
        _ request: RuleOnVM, on name: VMName
    ) async throws(ClientError) -> RecoveryInfo {
        try await post(Paths.recovery(name), request)
    }
    package func checkConsistency() async throws(ClientError) -> HostCheck { try await get(Paths.audit) }

    package func start(_ request: StartMigration) async throws(ClientError) -> MigrationInfo {
        try await post(Paths.migrations, request)
    }
    package func migrations() async throws(ClientError) -> [MigrationInfo] {
        try await (get(Paths.migrations) as MigrationList).migrations
    }
    package func migration(_ id: MigrationID) async throws(ClientError) -> MigrationInfo {
        try await get(Paths.migration(id))
    }
    package func cancel(_ id: MigrationID) async throws(ClientError) -> MigrationInfo {
        try endpoint.decode(await endpoint.send(.DELETE, Paths.migration(id)))
    }

    /// Any request, as it is: for what the typed ones cannot say.
    package func raw(
        _ method: String, _ path: String, body: [UInt8]? = nil
    ) async throws(ClientError) -> [UInt8] {
        try await endpoint.send(HTTPMethod(rawValue: method), path, body: body)
    }

    /// Calls with each piece of an answer that goes on, until the agent ends it or `body` returns false.
    package func stream(
        _ path: String, _ body: (ArraySlice<UInt8>) async throws -> Bool
    ) async throws(ClientError) {
        try await endpoint.stream(path, body)
    }

    /// Follows a migration to its end, several reports a second.
    package func follow(
        _ id: MigrationID, _ report: (MigrationInfo) async -> Void
    ) async throws(ClientError) -> MigrationInfo {
        var lines = LineReader(from: name)
        var last: MigrationInfo?
        try await stream(Paths.migrationEvents(id)) { part in
            for line in try lines.take(part) {
                let info: MigrationInfo = try endpoint.decode(line)
                last = info
                await report(info)
            }
            return true
        }
        // The stream ended early when the agent shuts down: then the record is asked for.
        if let last, last.isOver { return last }
        return try await migration(id)
    }

    private func get<Answer: Decodable>(_ path: String) async throws(ClientError) -> Answer {
        try endpoint.decode(await endpoint.send(.GET, path))
    }

    private func post<Answer: Decodable>(
        _ path: String, _ request: some Encodable, within limit: Duration = Limits.answerTimeout
    ) async throws(ClientError) -> Answer {
        let body = try endpoint.encode(request)
        return try endpoint.decode(await endpoint.send(.POST, path, body: body, within: limit))
    }
}
