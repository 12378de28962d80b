// What an agent sends to the controllers: who it is, and its heartbeats. One request goes to one controller; which of
// them leads is for the caller to find out.

package import API
import AsyncHTTPClient
import FoundationEssentials
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
        http = ClusterClient.http(to: controllers, try ClusterClient.tls(keysFolder))
    }

    package func register(
        _ registration: HostRegistration, of host: HostName, at controller: HostAddress
    ) async throws(ClientError) -> HeartbeatAnswer {
        try await link(controller).put(
            ClusterPaths.agent(host), registration, within: timeout)
    }

    package func send(
        _ heartbeat: Heartbeat, of host: HostName, to controller: HostAddress
    ) async throws(ClientError) -> HeartbeatAnswer {
        try await link(controller).post(
            ClusterPaths.heartbeat(host), heartbeat, within: timeout)
    }

    /// Controllers speak the same HTTP as agents.
    private func link(_ controller: HostAddress) -> AgentClient {
        AgentClient(address: controller, http: http)
    }

    package func shutdown() async {
        // It was not shut down before, which is all that this throws for.
        try? await http.shutdown()
    }
}
