// The HTTPS server: TLS 1.3, both sides with certificates of the cluster's authority.

import ClusterFile
import Host
import Hummingbird
import HummingbirdCore
import HummingbirdTLS
import Keys
import Model
import NIOCore
import NIOSSL

struct APIServer {
    let application: Application<RouterResponder<APIContext>>

    init(routes: Routes, keys: Credentials, context: HostContext) throws {
        let address = context.member.api
        application = Application(
            router: routes.router,
            server: try .tls(
                .http1(
                    configuration: HTTP1Channel.Configuration(
                        idleTimeout: .seconds(Limits.idleConnection.components.seconds),
                        httpDecoderConfiguration: HTTP1Channel.Configuration.DecoderConfiguration(
                            maxHeaderFieldSize: Limits.headerBytesMax,
                            maxHeaderListSize: Limits.headerBytesMax, maxHeaderFieldCount: 64))),
                tlsConfiguration: try Self.tls(keys)),
            configuration: ApplicationConfiguration(
                address: .hostname(address.ip, port: Int(address.port)), serverName: nil,
                availableConnectionsDelegate: MaximumAvailableConnections(Limits.connectionsMax)),
            logger: context.logger)
    }

    private static func tls(_ keys: Credentials) throws(AgentError) -> TLSConfiguration {
        do {
            var tls = TLSConfiguration.makeServerConfigurationWithMTLS(
                certificateChain: try NIOSSLCertificate.fromPEMFile(keys.folder.certificate)
                    .map { .certificate($0) },
                privateKey: .privateKey(
                    try NIOSSLPrivateKey(file: keys.folder.key, format: .pem)),
                trustRoots: .certificates(
                    try NIOSSLCertificate.fromPEMFile(keys.folder.authorityCertificate)))
            tls.minimumTLSVersion = .tlsv13
            tls.applicationProtocols = ["http/1.1"]
            // How long a client may take to say goodbye when the agent shuts down.
            tls.shutdownTimeout = .milliseconds(300)
            return tls
        } catch {
            throw .tls("\(error)")
        }
    }
}
