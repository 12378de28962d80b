// What a process needs to speak TLS as itself: checked once when it starts, so that a wrong file is named then.

package import FoundationEssentials
package import Model

/// A folder with an identity's certificate and key, checked.
package struct Credentials: Hashable, Sendable {
    package let folder: KeyFolder
    package let identity: Identity
    package let notValidAfter: Date

    /// Checks that the files are there, belong together, name somebody, and that the key is not exposed.
    package init(loading folder: KeyFolder) throws(PKIError) {
        let key = try KeyFiles.loadPrivateKey(at: folder.key)
        let certificate = try KeyFiles.loadCertificate(at: folder.certificate)
        let authority = try KeyFiles.loadCertificate(at: folder.authorityCertificate)
        let facts = try CertificateFacts(loading: folder.certificate)
        guard let identity = facts.identity else {
            throw .noFerryIdentity(path: folder.certificate)
        }
        guard certificate.isCertificate(of: key) else {
            throw .unreadable(
                path: folder.key, reason: "it is not the key of \(folder.certificate)")
        }
        guard certificate.isSigned(by: authority) else {
            throw .unreadable(
                path: folder.certificate,
                reason: "it was not issued by the authority in \(folder.authorityCertificate)")
        }
        self.folder = folder
        self.identity = identity
        notValidAfter = facts.notValidAfter
    }

    package func isExpired(at now: Date = .now) -> Bool { now > notValidAfter }
}
