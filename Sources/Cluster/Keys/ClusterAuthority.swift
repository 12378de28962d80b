// A cluster's certificate authority: makes itself, and issues the certificates that agents and people use.
//
//   ca.pem + ca-key.pem  ──issue──▶  DIR/{ca.pem, cert.pem, key.pem}
//
// A leaf says who its holder is in one URI (ferry://CLUSTER/ROLE/NAME) and, for clients that check host names
// only, in one DNS name that says the same. There is no revocation list: validity is bounded instead.

import Crypto
package import FoundationEssentials
import Host
package import Model
import SwiftASN1
package import X509

/// The authority of one cluster, with its private key.
package struct ClusterAuthority: Sendable {
    package let cluster: ClusterName
    package let certificate: Certificate
    private let key: P256.Signing.PrivateKey

    /// A new authority, not yet on disk.
    package init(cluster: ClusterName, now: Date = .now) throws(PKIError) {
        let key = P256.Signing.PrivateKey()
        let subject = Self.subject(of: cluster)
        do {
            let publicKey = Certificate.PublicKey(key.publicKey)
            let identifier = SubjectKeyIdentifier(hash: publicKey)
            certificate = try Certificate(
                version: .v3,
                serialNumber: .random,
                publicKey: publicKey,
                notValidBefore: now.addingTimeInterval(-Limits.backdated.seconds),
                notValidAfter: now.addingTimeInterval(Limits.authorityValidity.seconds),
                issuer: subject,
                subject: subject,
                signatureAlgorithm: .ecdsaWithSHA256,
                extensions: Certificate.Extensions {
                    Critical(BasicConstraints.isCertificateAuthority(maxPathLength: 0))
                    Critical(KeyUsage(keyCertSign: true, cRLSign: true))
                    identifier
                },
                issuerPrivateKey: Certificate.PrivateKey(key))
        } catch {
            throw .signing("\(error)")
        }
        self.cluster = cluster
        self.key = key
    }

    /// The authority that `write` left in a folder.
    package init(loading folder: KeyFolder) throws(PKIError) {
        certificate = try KeyFiles.certificate(folder.authorityCertificate)
        key = try KeyFiles.privateKey(folder.authorityKey)
        guard let name = certificate.subject.organization, let cluster = try? ClusterName(name),
            Certificate.PublicKey(key.publicKey) == certificate.publicKey
        else {
            throw .unreadable(
                path: folder.authorityCertificate,
                reason: "it is not the certificate of the cluster authority in ca-key.pem")
        }
        self.cluster = cluster
    }

    /// Writes ca.pem and ca-key.pem. Never overwrites: a lost authority key loses the cluster.
    package func write(to folder: KeyFolder) throws(PKIError) {
        try KeyFiles.make(folder)
        try KeyFiles.refuseExisting([folder.authorityKey, folder.authorityCertificate])
        try KeyFiles.write(
            key.pemRepresentation, to: folder.authorityKey, isSecret: true, overwrite: false)
        try KeyFiles.write(
            KeyFiles.pem(certificate), to: folder.authorityCertificate, isSecret: false,
            overwrite: false)
    }

    /// Makes a key and a certificate for it and writes them, with ca.pem, to a folder.
    /// - Throws: `.fileExists`, with nothing written, when the folder holds a certificate or key and
    ///   `overwrite` is false.
    package func issue(
        role: Role, name: HostName, days: Int = Limits.daysDefault, to folder: KeyFolder,
        overwrite: Bool = false, now: Date = .now
    ) throws(PKIError) {
        let leafKey = P256.Signing.PrivateKey()
        let leaf = try certificate(
            for: leafKey.publicKey, role: role, name: name, days: days, now: now)
        try KeyFiles.make(folder)
        if !overwrite { try KeyFiles.refuseExisting([folder.key, folder.certificate]) }
        try KeyFiles.write(
            leafKey.pemRepresentation, to: folder.key, isSecret: true, overwrite: overwrite)
        try KeyFiles.write(
            KeyFiles.pem(leaf), to: folder.certificate, isSecret: false, overwrite: overwrite)
        try KeyFiles.write(
            KeyFiles.pem(certificate), to: folder.authorityCertificate, isSecret: false,
            overwrite: true)
    }

    private func certificate(
        for publicKey: P256.Signing.PublicKey, role: Role, name: HostName, days: Int, now: Date
    ) throws(PKIError) -> Certificate {
        guard (1...Limits.daysMax).contains(days) else { throw .validity(days: days) }
        let end = now.addingTimeInterval(Double(days) * 86400)
        guard end <= certificate.notValidAfter else { throw .authorityExpiresFirst(days: days) }
        let identity = Identity(cluster: cluster, role: role, name: name)
        let leafKey = Certificate.PublicKey(publicKey)
        let authorityKey = SubjectKeyIdentifier(hash: certificate.publicKey).keyIdentifier
        do {
            return try Certificate(
                version: .v3,
                serialNumber: .random,
                publicKey: leafKey,
                notValidBefore: now.addingTimeInterval(-Limits.backdated.seconds),
                notValidAfter: end,
                issuer: certificate.subject,
                subject: DistinguishedName {
                    OrganizationName(cluster.text)
                    OrganizationalUnitName(role.rawValue)
                    CommonName(name.text)
                },
                signatureAlgorithm: .ecdsaWithSHA256,
                extensions: Certificate.Extensions {
                    Critical(BasicConstraints.notCertificateAuthority)
                    Critical(KeyUsage(digitalSignature: true))
                    try ExtendedKeyUsage([.serverAuth, .clientAuth])
                    SubjectAlternativeNames([
                        .uniformResourceIdentifier(identity.description),
                        .dnsName(identity.dnsName),
                    ])
                    SubjectKeyIdentifier(hash: leafKey)
                    AuthorityKeyIdentifier(keyIdentifier: authorityKey)
                },
                issuerPrivateKey: Certificate.PrivateKey(key))
        } catch {
            throw .signing("\(error)")
        }
    }

    private static func subject(of cluster: ClusterName) -> DistinguishedName {
        // Static strings of checked characters: a builder without `try` does not throw.
        (try? DistinguishedName {
            OrganizationName(cluster.text)
            CommonName("ferry cluster \(cluster)")
        }) ?? DistinguishedName()
    }
}

extension Certificate.SerialNumber {
    /// 127 random bits: positive, and never the same twice.
    fileprivate static var random: Certificate.SerialNumber {
        var bytes = (0..<Limits.serialBytes).map { _ in UInt8.random(in: .min ... .max) }
        bytes[0] = bytes[0] & 0x7f | 0x40
        return Certificate.SerialNumber(bytes: bytes)
    }
}

extension DistinguishedName {
    /// The first organization name in it.
    var organization: String? {
        for part in self {
            for attribute in part where attribute.type == .RDNAttributeType.organizationName {
                return String(attribute.value)
            }
        }
        return nil
    }
}
