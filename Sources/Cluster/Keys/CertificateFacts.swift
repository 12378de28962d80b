// What a certificate says, for people and for checks.

import Crypto
package import FoundationEssentials
package import Model
import SwiftASN1
import X509

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
        try self.init(KeyFiles.certificate(path), path: path)
    }

    /// - Parameter der: as TLS carries it.
    package init(der: [UInt8]) throws(PKIError) {
        do { try self.init(Certificate(derEncoded: der), path: "the peer's certificate") } catch let
            error as PKIError
        {
            throw error
        } catch {
            throw .unreadable(path: "the peer's certificate", reason: "\(error)")
        }
    }

    private init(_ certificate: Certificate, path: String) throws(PKIError) {
        do {
            let names = try certificate.extensions.subjectAlternativeNames.map(Array.init) ?? []
            identity = Self.identity(in: names)
            dnsNames = names.compactMap { name in
                if case .dnsName(let text) = name { text } else { nil }
            }
            kind = try certificate.extensions.basicConstraints.isAuthority ? .authority : .leaf
            var serializer = DER.Serializer()
            try serializer.serialize(certificate)
            fingerprint = SHA256.hash(data: serializer.serializedBytes).hexadecimal()
        } catch {
            throw .unreadable(path: path, reason: "\(error)")
        }
        cluster = certificate.subject.organization ?? ""
        notValidBefore = certificate.notValidBefore
        notValidAfter = certificate.notValidAfter
        serialNumber = certificate.serialNumber.bytes.hexadecimal()
    }

    /// Exactly one ferry:// URI names the holder; two could be read differently at two places.
    private static func identity(in names: [GeneralName]) -> Identity? {
        let uris = names.compactMap { name -> String? in
            guard case .uniformResourceIdentifier(let text) = name, text.hasPrefix("ferry://")
            else { return nil }
            return text
        }
        return uris.count == 1 ? Identity(uris[0]) : nil
    }
}

extension BasicConstraints? {
    fileprivate var isAuthority: Bool {
        if case .isCertificateAuthority = self { true } else { false }
    }
}
