// A typed client of agents' APIs, for the command line and for tests: one HTTP client for all hosts of a cluster.

import AsyncHTTPClient
package import Model

/// Talks to the agents of one cluster with one identity. Call `shutdown` at the end.
package final class ClusterClient: Sendable {
    let http: HTTPClient
    package let hosts: [HostAddress]

    /// - Parameter keysFolder: with ca.pem, cert.pem and key.pem.
    package init(hosts: [HostAddress], keysFolder: String) throws(ClientError) {
        self.hosts = hosts
        http = try .makeClusterClient(
            for: hosts, tls: .ferryConfiguration(for: .keys(folder: keysFolder)))
    }

    package func shutdown() async {
        // It was not shut down before, which is all that this throws for.
        try? await http.shutdown()
    }

    package func agentClient(named name: HostName) -> AgentClient? {
        hosts.first { $0.name == name }.map(makeAgentClient)
    }

    package var agents: [AgentClient] { hosts.map(makeAgentClient) }

    private func makeAgentClient(at address: HostAddress) -> AgentClient {
        AgentClient(endpoint: Endpoint(address: address, http: http))
    }
}
