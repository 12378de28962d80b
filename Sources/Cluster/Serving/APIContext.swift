// What a request carries through the server: its connection, and who sent it.

package import API
package import Hummingbird
import Keys
package import Model
import NIOCore
import NIOSSL

package typealias APILimits = API.Limits

/// The context of one request.
package struct APIContext: RequestContext {
    package var coreContext: CoreRequestContextStorage
    private let channel: any Channel
    /// Set by the server's authorization: no handler that needs to know runs without it.
    package var caller: Caller?

    package init(source: ApplicationRequestContextSource) {
        coreContext = CoreRequestContextStorage(source: source)
        channel = source.channel
    }

    package var maxUploadSize: Int { APILimits.bodyBytesMax }

    /// Whose certificate the caller showed; nil for one with a token.
    package var identity: Identity? {
        if case .certificate(let identity) = caller { identity } else { nil }
    }

    package enum Peer: Hashable, Sendable {
        case identity(Identity)
        /// A certificate that names nobody, or more than one.
        case unnamed
        case withoutCertificate
    }

    /// Whom the certificate of the connection's other end names. TLS has checked its chain.
    package func identifyPeer() async -> Peer {
        // A connection that is gone has no certificate, and nobody to answer to.
        guard let certificate = try? await channel.nioSSL_peerCertificate().get() else {
            return .withoutCertificate
        }
        guard let der = try? certificate.toDERBytes(),
            let identity = try? CertificateFacts(der: der).identity
        else { return .unnamed }
        return .identity(identity)
    }
}
