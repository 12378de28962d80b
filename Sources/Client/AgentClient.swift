// One agent's API, a method a request.

package import API
import AsyncHTTPClient
import FoundationEssentials
package import Model
import NIOCore
import NIOHTTP1

package struct AgentClient: Sendable {
    package let address: HostAddress
    let http: HTTPClient
    /// Of the controller that asks; nil for people.
    var term: UInt64?

    package var name: HostName { address.name }

    /// The same agent, told by the controller of a term.
    package func commanded(in term: UInt64) -> AgentClient {
        var client = self
        client.term = term
        return client
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
        _ = try await send(.DELETE, id.map { Paths.vm(name, id: $0) } ?? Paths.vm(name))
    }
    package func perform(_ action: VMAction, on name: VMName) async throws(ClientError) -> VMInfo {
        try decode(await send(.POST, Paths.action(action, on: name)))
    }
    package func save(_ name: VMName, _ request: SaveVM) async throws(ClientError) -> SavedVM {
        try await post(Paths.save(name), request, within: Limits.saveTimeout)
    }
    package func log(_ name: VMName, tailBytes: Int? = nil) async throws(ClientError) -> [UInt8] {
        try await send(.GET, Paths.log(name) + (tailBytes.map { "?tail=\($0)" } ?? ""))
    }
    package func sendConsoleInput(_ bytes: [UInt8], to name: VMName) async throws(ClientError) {
        _ = try await send(.POST, Paths.console(name), body: bytes)
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
    package func audit() async throws(ClientError) -> HostAudit { try await get(Paths.audit) }

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
        try decode(await send(.DELETE, Paths.migration(id)))
    }

    private func get<Answer: Decodable>(_ path: String) async throws(ClientError) -> Answer {
        try decode(await send(.GET, path))
    }

    func post<Answer: Decodable>(
        _ path: String, _ request: some Encodable, within limit: Duration = Limits.answerTimeout
    ) async throws(ClientError) -> Answer {
        try await send(.POST, path, request, within: limit)
    }

    func put<Answer: Decodable>(
        _ path: String, _ request: some Encodable, within limit: Duration
    ) async throws(ClientError) -> Answer {
        try await send(.PUT, path, request, within: limit)
    }

    private func send<Answer: Decodable>(
        _ method: HTTPMethod, _ path: String, _ request: some Encodable, within limit: Duration
    ) async throws(ClientError) -> Answer {
        do {
            let body = try JSONEncoder().encode(request)
            return try decode(await send(method, path, body: Array(body), within: limit))
        } catch let error as ClientError {
            throw error
        } catch {
            throw .unexpected(host: name, reason: "\(error)")
        }
    }

    func decode<Answer: Decodable>(_ bytes: [UInt8]) throws(ClientError) -> Answer {
        do { return try JSONDecoder().decode(Answer.self, from: Data(bytes)) } catch {
            throw .unexpected(host: name, reason: "\(error)")
        }
    }
}
