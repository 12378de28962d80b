// What an agent sends to the controllers: who it is, and its heartbeats. One request goes to one controller; which of
// them leads is for the caller to find out.

package import API
import AsyncHTTPClient
import FoundationEssentials
package import Model

/// Call `shutdown` at the end.
package struct ReportClient: Sendable {
    private let http: HTTPClient

    /// - Parameter keysFolder: the agent's own.
    package init(controllers: [HostAddress], keysFolder: String) throws(ClientError) {
        http = ClusterClient.http(to: controllers, try ClusterClient.tls(keysFolder))
    }

    package func register(
        _ registration: HostRegistration, of host: HostName, at controller: HostAddress
    ) async throws(ClientError) -> HeartbeatAnswer {
        try await link(controller).put(
            ClusterPaths.agent(host), registration, within: Limits.reportTimeout)
    }

    package func send(
        _ heartbeat: Heartbeat, of host: HostName, to controller: HostAddress
    ) async throws(ClientError) -> HeartbeatAnswer {
        try await link(controller).post(
            ClusterPaths.heartbeat(host), heartbeat, within: Limits.reportTimeout)
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
