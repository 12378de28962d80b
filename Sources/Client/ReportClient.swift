// What an agent sends to the controllers: who it is, and its heartbeats. One request goes to one controller; which of
// them leads is for the caller to find out.

package import API
import AsyncHTTPClient
package import Model
import NIOHTTP1
import NIOSSL

/// Call `shutdown` at the end.
package struct ReportClient: Sendable {
    private let http: HTTPClient

    /// - Parameter keysFolder: the agent's own.
    package init(controllers: [HostAddress], keysFolder: String) throws(ClientError) {
        http = try .cluster(controllers, tls: TLSConfiguration.ferry(.keys(folder: keysFolder)))
    }

    package func register(
        _ registration: HostRegistration, of host: HostName, at controller: HostAddress
    ) async throws(ClientError) -> HeartbeatAnswer {
        try await ask(controller, .PUT, ClusterPaths.agent(host), registration)
    }

    package func send(
        _ heartbeat: Heartbeat, of host: HostName, to controller: HostAddress
    ) async throws(ClientError) -> HeartbeatAnswer {
        try await ask(controller, .POST, ClusterPaths.heartbeat(host), heartbeat)
    }

    private func ask(
        _ controller: HostAddress, _ method: HTTPMethod, _ path: String, _ word: some Encodable
    ) async throws(ClientError) -> HeartbeatAnswer {
        let endpoint = Endpoint(address: controller, http: http)
        return try endpoint.decode(
            await endpoint.send(
                method, path, body: endpoint.encode(word), within: Limits.reportTimeout))
    }

    package func shutdown() async {
        // It was not shut down before, which is all that this throws for.
        try? await http.shutdown()
    }
}
