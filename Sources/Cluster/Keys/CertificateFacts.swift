// What a certificate says, for people and for checks.

package import FoundationEssentials
package import Model

/// The facts of one certificate.
package struct CertificateFacts: Hashable, Sendable {
    package enum Kind: String, Hashable, Sendable { case authority, leaf }

    package let kind: Kind
    package let cluster: String
    /// Who the holder is; nil for an authority, and for a certificate that names nobody or more than one.
    package let identity: Identity?
    package let dnsNames: [String]
    package let notValidBefore: Date
    package let notValidAfter: Date
    /// Lower-case hexadecimal.
    package let serialNumber: String
    /// SHA-256 of the DER form, lower-case hexadecimal.
    package let fingerprint: String

    package init(loading path: String) throws(PKIError) {
        try self.init(KeyFiles.loadCertificate(at: path), path: path)
    }

    /// - Parameter der: as TLS carries it.
    package init(der: [UInt8]) throws(PKIError) {
        let path = "the peer's certificate"
        let certificate: X509Certificate
        do throws(OpenSSLError) { certificate = try X509Certificate(der: der) } catch {
            throw .unreadable(path: path, reason: "\(error)")
        }
        try self.init(certificate, path: path)
    }

    private init(_ certificate: X509Certificate, path: String) throws(PKIError) {
        guard let begin = certificate.notValidBefore, let end = certificate.notValidAfter else {
            throw .unreadable(path: path, reason: "its time of validity cannot be read")
        }
        let names = certificate.alternativeNames
        identity = Self.parseIdentity(from: names.uris)
        dnsNames = names.dnsNames
        kind = certificate.isAuthority ? .authority : .leaf
        cluster = certificate.organization ?? ""
        (notValidBefore, notValidAfter) = (begin, end)
        serialNumber = certificate.serialNumber.hexadecimal()
        fingerprint = certificate.fingerprint.hexadecimal()
    }

    /// Exactly one ferry:// URI names the holder; two could be read differently at two places.
    private static func parseIdentity(from uris: [String]) -> Identity? {
        let ours = uris.filter { $0.hasPrefix("ferry://") }
        return ours.count == 1 ? Identity(ours[0]) : nil
    }
}
