// What an agent sends to the controllers: who it is, and its heartbeats. One request goes to one controller; which of
// them leads is for the caller to find out.

package import API
import AsyncHTTPClient
package import Model
import NIOHTTP1

/// Call `shutdown` at the end.
package struct ReportClient: Sendable {
    private let http: HTTPClient
    private let timeout: Duration

    /// - Parameters:
    ///   - keysFolder: the agent's own.
    ///   - timeout: for a controller's answer.
    package init(
        controllers: [HostAddress], keysFolder: String, timeout: Duration
    ) throws(ClientError) {
        self.timeout = timeout
        http = try .cluster(controllers, tls: .ferry(.keys(folder: keysFolder)))
    }

    package func register(
        _ registration: HostRegistration, of host: HostName, at controller: HostAddress
    ) async throws(ClientError) -> HeartbeatAnswer {
        try await send(.PUT, ClusterPaths.agent(host), registration, to: controller)
    }

    package func send(
        _ heartbeat: Heartbeat, of host: HostName, to controller: HostAddress
    ) async throws(ClientError) -> HeartbeatAnswer {
        try await send(.POST, ClusterPaths.heartbeat(host), heartbeat, to: controller)
    }

    private func send(
        _ method: HTTPMethod, _ path: String, _ report: some Encodable, to controller: HostAddress
    ) async throws(ClientError) -> HeartbeatAnswer {
        let endpoint = Endpoint(address: controller, http: http)
        let body = try endpoint.encode(report)
        return try endpoint.decode(await endpoint.send(method, path, body: body, within: timeout))
    }

    package func shutdown() async {
        // It was not shut down before, which is all that this throws for.
        try? await http.shutdown()
    }
}
