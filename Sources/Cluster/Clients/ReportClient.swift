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
        http = try .makeClusterClient(
            for: controllers, tls: .ferryConfiguration(for: .keys(folder: keysFolder)))
    }

    package func sendRegistration(
        _ registration: HostRegistration, of host: HostName, to controller: HostAddress
    ) async throws(ClientError) -> HeartbeatAnswer {
        try await sendRequest(
            ControllerRoutes.registerAgent.makeRequest(at: host, body: registration), to: controller
        )
    }

    package func sendHeartbeat(
        _ heartbeat: Heartbeat, of host: HostName, to controller: HostAddress
    ) async throws(ClientError) -> HeartbeatAnswer {
        try await sendRequest(
            ControllerRoutes.heartbeat.makeRequest(at: host, body: heartbeat), to: controller)
    }

    private func sendRequest(
        _ request: RouteRequest<HeartbeatAnswer>, to controller: HostAddress
    ) async throws(ClientError) -> HeartbeatAnswer {
        try await Endpoint(address: controller, http: http).sendRequest(request, within: timeout)
    }

    package func shutdown() async {
        // It was not shut down before, which is all that this throws for.
        try? await http.shutdown()
    }
}
