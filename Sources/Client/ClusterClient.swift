// A typed client of agents' APIs, for the command line and for tests: one HTTP client for all hosts of a cluster.

import AsyncHTTPClient
package import Model
import NIOCore
import NIOPosix
import NIOSSL

/// Talks to the agents of one cluster with one identity. Call `shutdown` at the end.
package final class ClusterClient: Sendable {
    let http: HTTPClient
    package let hosts: [HostAddress]

    /// - Parameter keysFolder: with ca.pem, cert.pem and key.pem.
    package init(hosts: [HostAddress], keysFolder: String) throws(ClientError) {
        self.hosts = hosts
        http = Self.http(to: hosts, try Self.tls(keysFolder))
    }

    /// A client that goes to the address of whom a URL names by DNS name, and takes nobody else's certificate.
    static func http(to hosts: [HostAddress], _ tls: TLSConfiguration) -> HTTPClient {
        var configuration = HTTPClient.Configuration()
        configuration.tlsConfiguration = tls
        configuration.dnsOverride = Dictionary(
            hosts.map { ($0.identity.dnsName, $0.ip) }, uniquingKeysWith: { first, _ in first })
        configuration.timeout.connect = .seconds(Limits.connectTimeout.components.seconds)
        configuration.redirectConfiguration = .disallow
        configuration.httpVersion = .http1Only
        // A host that refuses connections is told at once: it is asked again by whoever wants to wait for it.
        configuration.connectionPool.retryConnectionEstablishment = false
        // Shorter than an agent keeps idle connections: else a request may meet one that is just being closed.
        configuration.connectionPool.idleTimeout = .seconds(
            Limits.idleConnection.components.seconds)
        return HTTPClient(
            eventLoopGroupProvider: .shared(MultiThreadedEventLoopGroup.singleton),
            configuration: configuration)
    }

    static func tls(_ folder: String) throws(ClientError) -> TLSConfiguration {
        do {
            var tls = TLSConfiguration.makeClientConfiguration()
            tls.minimumTLSVersion = .tlsv13
            tls.trustRoots = .certificates(try NIOSSLCertificate.fromPEMFile("\(folder)/ca.pem"))
            tls.certificateChain = try NIOSSLCertificate.fromPEMFile("\(folder)/cert.pem")
                .map { .certificate($0) }
            tls.privateKey = .privateKey(
                try NIOSSLPrivateKey(file: "\(folder)/key.pem", format: .pem))
            tls.certificateVerification = .fullVerification
            tls.shutdownTimeout = .milliseconds(300)
            return tls
        } catch {
            throw .keys(
                "the keys in \(folder) cannot be used (\(error)): make them with `ferry pki issue --ca AUTHORITY-FOLDER --role operator --name NAME --out \(folder)`"
            )
        }
    }

    package func shutdown() async {
        // It was not shut down before, which is all that this throws for.
        try? await http.shutdown()
    }

    package func host(_ name: HostName) -> AgentClient? {
        hosts.first { $0.name == name }.map { AgentClient(address: $0, http: http) }
    }

    package var agents: [AgentClient] { hosts.map { AgentClient(address: $0, http: http) } }
}
