// The HTTPS server: TLS 1.3, with certificates of the cluster's authority.

package import Host
package import Hummingbird
import HummingbirdCore
import HummingbirdTLS
package import Keys
package import Logging
import NIOCore
import NIOSSL

package struct APIServer {
    /// What a client must show in the handshake.
    package enum ClientCertificates: Sendable {
        case required
        /// One that is shown must be the authority's; the handlers decide what those without one may do.
        case optional
    }

    package let application: Application<RouterResponder<APIContext>>

    package init(
        router: Router<APIContext>, at address: Host.SocketAddress, keys: KeyFolder,
        clients: ClientCertificates, connectionsMax: Int, logger: Logger
    ) throws(ServerError) {
        do {
            application = Application(
                router: router,
                server: try .tls(
                    .http1(configuration: Self.http),
                    tlsConfiguration: Self.makeTLSConfiguration(keys: keys, clients: clients)),
                configuration: ApplicationConfiguration(
                    address: .hostname(address.ip, port: Int(address.port)), serverName: nil,
                    availableConnectionsDelegate: MaximumAvailableConnections(connectionsMax)),
                logger: logger)
        } catch { throw .tls("\(error)") }
    }

    private static var http: HTTP1Channel.Configuration {
        HTTP1Channel.Configuration(
            idleTimeout: .seconds(Limits.idleConnection.components.seconds),
            httpDecoderConfiguration: HTTP1Channel.Configuration.DecoderConfiguration(
                maxHeaderFieldSize: Limits.headerBytesMax,
                maxHeaderListSize: Limits.headerBytesMax, maxHeaderFieldCount: Limits.headersMax))
    }

    private static func makeTLSConfiguration(
        keys: KeyFolder, clients: ClientCertificates
    ) throws -> TLSConfiguration {
        var tls = TLSConfiguration.makeServerConfigurationWithMTLS(
            certificateChain: try NIOSSLCertificate.fromPEMFile(keys.certificate)
                .map { .certificate($0) },
            privateKey: .privateKey(try NIOSSLPrivateKey(file: keys.key, format: .pem)),
            trustRoots: .certificates(
                try NIOSSLCertificate.fromPEMFile(keys.authorityCertificate)))
        if case .optional = clients { tls.certificateVerification = .optionalVerification }
        tls.minimumTLSVersion = .tlsv13
        tls.applicationProtocols = ["http/1.1"]
        tls.shutdownTimeout = TimeAmount(Limits.goodbye)
        return tls
    }
}

package enum ServerError: Error, Sendable, CustomStringConvertible {
    case tls(String)

    package var description: String {
        switch self {
        case .tls(let reason): "the keys cannot be used for TLS: \(reason)"
        }
    }
}
