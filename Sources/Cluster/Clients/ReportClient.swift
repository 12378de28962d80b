// What an agent sends to the controllers: who it is, and its heartbeats. One request goes to one controller; which of
// them leads is for the caller to find out.

package import API
import AsyncHTTPClient
package import Model

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
        try await send(
            ControllerRoutes.registerAgent.request(at: host, body: registration), to: controller)
    }

    package func send(
        _ heartbeat: Heartbeat, of host: HostName, to controller: HostAddress
    ) async throws(ClientError) -> HeartbeatAnswer {
        try await send(
            ControllerRoutes.heartbeat.request(at: host, body: heartbeat), to: controller)
    }

    private func send(
        _ request: RouteRequest<HeartbeatAnswer>, to controller: HostAddress
    ) async throws(ClientError) -> HeartbeatAnswer {
        try await Endpoint(address: controller, http: http).send(request, within: timeout)
    }

    package func shutdown() async {
        // It was not shut down before, which is all that this throws for.
        try? await http.shutdown()
    }
}
