// What a request carries through the server: its connection, and whom the certificate names.

import API
import Hummingbird
import Keys
import Model
import NIOCore
import NIOSSL

/// The context of one request.
struct APIContext: RequestContext {
    var coreContext: CoreRequestContextStorage
    let channel: any Channel
    /// Set by `Authorization`: no handler runs without it.
    var identity: Identity?

    init(source: ApplicationRequestContextSource) {
        coreContext = CoreRequestContextStorage(source: source)
        channel = source.channel
    }

    var maxUploadSize: Int { APILimits.bodyBytesMax }

    /// Whom the peer's certificate names; nil when it names nobody.
    func peerIdentity() async -> Identity? {
        // A connection that is gone has no certificate, and nobody to answer to.
        guard let certificate = try? await channel.nioSSL_peerCertificate().get(),
            let der = try? certificate.toDERBytes()
        else { return nil }
        return try? CertificateFacts(der: der).identity
    }
}
