// A cluster's certificate authority: makes itself, and issues the certificates that agents and people use.
//
//   ca.pem + ca-key.pem  ──issue──▶  DIR/{ca.pem, cert.pem, key.pem}
//
// A leaf says who its holder is in one URI (ferry://CLUSTER/ROLE/NAME) and, for clients that check host names
// only, in one DNS name that says the same. There is no revocation list: validity is bounded instead.

import COpenSSL
package import FoundationEssentials
package import Model

/// The authority of one cluster, with its private key.
package struct ClusterAuthority: Sendable {
    package let cluster: ClusterName
    private let certificate: X509Certificate
    private let key: SigningKey
    private let notValidAfter: Date

    /// A new authority, not yet on disk.
    package init(cluster: ClusterName, now: Date = .now) throws(PKIError) {
        let end = now.addingTimeInterval(Limits.authorityValidity.seconds)
        do throws(OpenSSLError) {
            key = try SigningKey.generate()
            certificate = try X509Certificate.issueCertificate(
                from: Self.authorityTemplate(for: cluster, now: now, notValidAfter: end), for: key,
                issuer: nil,
                signedBy: key)
        } catch {
            throw .signing("\(error)")
        }
        self.cluster = cluster
        notValidAfter = end
    }

    /// The authority that `write` left in a folder.
    package init(loading folder: KeyFolder) throws(PKIError) {
        certificate = try KeyFiles.loadCertificate(at: folder.authorityCertificate)
        key = try KeyFiles.loadPrivateKey(at: folder.authorityKey)
        guard let name = certificate.organization, let cluster = try? ClusterName(name),
            certificate.isCertificate(of: key), let end = certificate.notValidAfter
        else {
            throw .unreadable(
                path: folder.authorityCertificate,
                reason: "it is not the certificate of the cluster authority in ca-key.pem")
        }
        self.cluster = cluster
        notValidAfter = end
    }

    /// Writes ca.pem and ca-key.pem. Never overwrites: a lost authority key loses the cluster.
    package func writeKeyFiles(to folder: KeyFolder) throws(PKIError) {
        try KeyFiles.createFolder(at: folder)
        try KeyFiles.refuseExistingFiles(at: [folder.authorityKey, folder.authorityCertificate])
        try KeyFiles.writeTextFile(
            try Self.encodePEM { () throws(OpenSSLError) in try key.pem }, to: folder.authorityKey,
            isSecret: true, overwrite: false)
        try KeyFiles.writeTextFile(
            try Self.encodePEM { () throws(OpenSSLError) in try certificate.pem },
            to: folder.authorityCertificate, isSecret: false, overwrite: false)
    }

    /// Makes a key and a certificate for it and writes them, with ca.pem, to a folder.
    /// - Throws: `.fileExists`, with nothing written, when the folder holds a certificate or key and
    ///   `overwrite` is false.
    package func issueCertificate(
        as role: Role, name: HostName, days: Int = Limits.daysDefault, to folder: KeyFolder,
        overwrite: Bool = false, now: Date = .now
    ) throws(PKIError) {
        let identity = Identity(cluster: cluster, role: role, name: name)
        let template = try leafTemplate(for: identity, days: days, now: now)
        let texts = try makeLeafCertificate(from: template)
        try KeyFiles.createFolder(at: folder)
        if !overwrite { try KeyFiles.refuseExistingFiles(at: [folder.key, folder.certificate]) }
        try KeyFiles.writeTextFile(texts.key, to: folder.key, isSecret: true, overwrite: overwrite)
        try KeyFiles.writeTextFile(
            texts.certificate, to: folder.certificate, isSecret: false, overwrite: overwrite)
        try KeyFiles.writeTextFile(
            try Self.encodePEM { () throws(OpenSSLError) in try certificate.pem },
            to: folder.authorityCertificate, isSecret: false, overwrite: true)
    }

    /// A new key and its certificate, in PEM.
    private func makeLeafCertificate(
        from template: X509Certificate.Template
    ) throws(PKIError) -> (key: String, certificate: String) {
        do throws(OpenSSLError) {
            let leafKey = try SigningKey.generate()
            let leaf = try X509Certificate.issueCertificate(
                from: template, for: leafKey, issuer: certificate, signedBy: key)
            return (try leafKey.pem, try leaf.pem)
        } catch {
            throw .signing("\(error)")
        }
    }

    private static func encodePEM(
        using text: () throws(OpenSSLError) -> String
    ) throws(PKIError) -> String {
        do throws(OpenSSLError) { return try text() } catch { throw .signing("\(error)") }
    }
}

// MARK: - What certificates say

extension ClusterAuthority {
    private static func authorityTemplate(
        for cluster: ClusterName, now: Date, notValidAfter: Date
    ) -> X509Certificate.Template {
        X509Certificate.Template(
            subject: [("O", cluster.text), ("CN", "ferry cluster \(cluster)")],
            serialNumber: randomSerialNumber(),
            notValidBefore: now.addingTimeInterval(-Limits.backdated.seconds),
            notValidAfter: notValidAfter,
            extensions: [
                (NID_basic_constraints, "critical,CA:TRUE,pathlen:0"),
                (NID_key_usage, "critical,keyCertSign,cRLSign"),
                (NID_subject_key_identifier, "hash"),
            ])
    }

    private func leafTemplate(
        for identity: Identity, days: Int, now: Date
    ) throws(PKIError) -> X509Certificate.Template {
        guard (1...Limits.daysMax).contains(days) else { throw .validity(days: days) }
        let end = now.addingTimeInterval(Double(days) * 86400)
        guard end <= notValidAfter else { throw .authorityExpiresFirst(days: days) }
        return X509Certificate.Template(
            subject: [
                ("O", identity.cluster.text), ("OU", identity.role.rawValue),
                ("CN", identity.name.text),
            ],
            serialNumber: Self.randomSerialNumber(),
            notValidBefore: now.addingTimeInterval(-Limits.backdated.seconds),
            notValidAfter: end,
            extensions: [
                (NID_basic_constraints, "critical,CA:FALSE"),
                (NID_key_usage, "critical,digitalSignature"),
                (NID_ext_key_usage, "serverAuth,clientAuth"),
                // Names are checked: they hold no comma, which would begin another entry.
                (NID_subject_alt_name, "URI:\(identity),DNS:\(identity.dnsName)"),
                (NID_subject_key_identifier, "hash"),
                (NID_authority_key_identifier, "keyid:always"),
            ])
    }

    /// 127 random bits: positive, and never the same twice.
    private static func randomSerialNumber() -> [UInt8] {
        var bytes = (0..<Limits.serialBytes).map { _ in UInt8.random(in: .min ... .max) }
        bytes[0] = bytes[0] & 0x7f | 0x40
        return bytes
    }
}
