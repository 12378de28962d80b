// HTTP clients for a cluster's servers: who they must be, and who asks.

import AsyncHTTPClient
import Model
import NIOCore
import NIOPosix
import NIOSSL

/// How a client says who it is.
package enum Access: Sendable {
    /// A folder with ca.pem, cert.pem and key.pem.
    case keys(folder: String)
    /// A bearer token, for controllers only. The servers are checked against the authority's certificate, a file.
    case token(String, authority: String)

    var headers: [(name: String, value: String)] {
        switch self {
        case .keys: []
        case .token(let token, _): [("authorization", "Bearer \(token)")]
        }
    }
}

extension HTTPClient {
    /// Connections go to the IP addresses; each server's certificate is checked for its DNS name.
    /// - Parameter silenceMax: for how long an answer may pause; nil: for ever, as a console does.
    static func makeClusterClient(
        for addresses: [HostAddress], tls: TLSConfiguration, silenceMax: Duration? = nil
    ) -> HTTPClient {
        var configuration = HTTPClient.Configuration()
        configuration.tlsConfiguration = tls
        configuration.dnsOverride = Dictionary(
            addresses.map { ($0.identity.dnsName, $0.ip) }, uniquingKeysWith: { first, _ in first })
        configuration.timeout.connect = TimeAmount(Limits.connectTimeout)
        configuration.timeout.read = silenceMax.map { TimeAmount($0) }
        configuration.redirectConfiguration = .disallow
        configuration.httpVersion = .http1Only
        // A server that refuses connections is told at once: it is asked again by whoever wants to wait for it.
        configuration.connectionPool.retryConnectionEstablishment = false
        // Shorter than a server keeps idle connections: else a request may meet one that is just being closed.
        configuration.connectionPool.idleTimeout = TimeAmount(Limits.idleConnection)
        return HTTPClient(
            eventLoopGroupProvider: .shared(MultiThreadedEventLoopGroup.singleton),
            configuration: configuration)
    }
}

extension TLSConfiguration {
    static func ferryConfiguration(for access: Access) throws(ClientError) -> TLSConfiguration {
        var tls = TLSConfiguration.makeClientConfiguration()
        tls.minimumTLSVersion = .tlsv13
        tls.certificateVerification = .fullVerification
        tls.shutdownTimeout = .milliseconds(300)
        switch access {
        case .token(_, let authority):
            do {
                tls.trustRoots = .certificates(try NIOSSLCertificate.fromPEMFile(authority))
            } catch {
                throw .keys("the authority's certificate \(authority) cannot be used (\(error))")
            }
        case .keys(let folder):
            do {
                tls.trustRoots = .certificates(
                    try NIOSSLCertificate.fromPEMFile("\(folder)/ca.pem"))
                tls.certificateChain = try NIOSSLCertificate.fromPEMFile("\(folder)/cert.pem")
                    .map { .certificate($0) }
                tls.privateKey = .privateKey(
                    try NIOSSLPrivateKey(file: "\(folder)/key.pem", format: .pem))
            } catch {
                throw .keys(
                    "the keys in \(folder) cannot be used (\(error)): make them with `ferry pki issue --ca AUTHORITY-FOLDER --role operator --name NAME --out \(folder)`"
                )
            }
        }
        return tls
    }
}
