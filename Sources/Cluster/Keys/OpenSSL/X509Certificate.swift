// An X.509 certificate in OpenSSL's memory.

import COpenSSL
import FoundationEssentials

/// `@unchecked`: OpenSSL counts references atomically, and a certificate is not changed once `init` or `issue` returned.
@safe final class X509Certificate: @unchecked Sendable {
    private let pointer: OpaquePointer

    /// Takes ownership of `pointer`.
    private init(owning pointer: OpaquePointer) { unsafe self.pointer = pointer }

    deinit { unsafe X509_free(pointer) }

    /// The first certificate of a PEM text.
    convenience init(pem: [UInt8]) throws(OpenSSLError) {
        let read = unsafe withMemoryBIO(reading: pem) { unsafe ferry_x509_read($0) }
        guard let read = unsafe read else { throw OpenSSLError() }
        unsafe self.init(owning: read)
    }

    convenience init(der: [UInt8]) throws(OpenSSLError) {
        let read = unsafe der.withUnsafeBufferPointer { bytes -> OpaquePointer? in
            var start = bytes.baseAddress
            return unsafe d2i_X509(nil, &start, bytes.count)
        }
        guard let read = unsafe read else { throw OpenSSLError() }
        unsafe self.init(owning: read)
    }

    var pem: String {
        get throws(OpenSSLError) {
            unsafe try textWritten { unsafe PEM_write_bio_X509($0, pointer) }
        }
    }

    // MARK: What it says

    /// The first organization name of its subject.
    var organization: String? {
        var count: Int32 = 0
        let name = unsafe X509_get_subject_name(pointer)
        guard let text = unsafe ferry_name_organization(name, &count) else { return nil }
        defer { unsafe ferry_free(text) }
        let bytes = unsafe UnsafeRawBufferPointer(start: text, count: Int(count))
        return unsafe String(decoding: bytes, as: UTF8.self)
    }

    var isAuthority: Bool { unsafe ferry_x509_is_authority(pointer) == 1 }

    /// Nil when the certificate's time cannot be read.
    var notValidBefore: Date? { validityDate(isEnd: 0) }
    var notValidAfter: Date? { validityDate(isEnd: 1) }

    private func validityDate(isEnd: Int32) -> Date? {
        var seconds: Int64 = 0
        guard unsafe ferry_x509_time(pointer, isEnd, &seconds) == 1 else { return nil }
        return Date(timeIntervalSince1970: Double(seconds))
    }

    /// The magnitude, big-endian.
    var serialNumber: [UInt8] {
        var bytes: UnsafePointer<UInt8>?
        let count = unsafe ferry_x509_serial(pointer, &bytes)
        return unsafe Array(UnsafeBufferPointer(start: bytes, count: max(0, Int(count))))
    }

    /// SHA-256 of the DER form.
    var fingerprint: [UInt8] {
        var digest = [UInt8](repeating: 0, count: Int(EVP_MAX_MD_SIZE))
        var count: UInt32 = 0
        guard unsafe X509_digest(pointer, EVP_sha256(), &digest, &count) == 1 else { return [] }
        return Array(digest.prefix(Int(count)))
    }

    /// The subject alternative names of two kinds.
    var alternativeNames: (uris: [String], dnsNames: [String]) {
        let names = unsafe ferry_x509_alternative_names(pointer)
        defer { unsafe GENERAL_NAMES_free(names) }
        var found: (uris: [String], dnsNames: [String]) = ([], [])
        for index in 0..<(unsafe ferry_names_count(names)) {
            var bytes: UnsafePointer<UInt8>?
            var count = unsafe ferry_names_uri(names, index, &bytes)
            if count >= 0 { unsafe found.uris.append(decodeText(at: bytes, count: count)) }
            unsafe count = ferry_names_dns(names, index, &bytes)
            if count >= 0 { unsafe found.dnsNames.append(decodeText(at: bytes, count: count)) }
        }
        return found
    }

    private func decodeText(at bytes: UnsafePointer<UInt8>?, count: Int32) -> String {
        unsafe String(
            decoding: UnsafeBufferPointer(start: bytes, count: Int(count)), as: UTF8.self)
    }

    // MARK: What it fits

    func isCertificate(of key: SigningKey) -> Bool {
        defer { ERR_clear_error() }
        return unsafe X509_check_private_key(pointer, key.pointer) == 1
    }

    func isSigned(by authority: X509Certificate) -> Bool {
        defer { ERR_clear_error() }
        guard let key = unsafe X509_get0_pubkey(authority.pointer) else { return false }
        return unsafe X509_verify(pointer, key) == 1
    }

    // MARK: Issuing

    /// What a certificate is to say.
    struct Template {
        /// Fields by their short names: O, OU, CN.
        var subject: [(field: String, text: String)]
        var serialNumber: [UInt8]
        var notValidBefore: Date
        var notValidAfter: Date
        /// By OpenSSL's identifier, in the text form of its configuration files, in order.
        var extensions: [(identifier: Int32, value: String)]
    }

    /// - Parameter issuer: nil for a certificate that signs itself.
    static func issueCertificate(
        from template: Template, for key: SigningKey, issuer: X509Certificate?,
        signedBy signingKey: SigningKey
    ) throws(OpenSSLError) -> X509Certificate {
        guard let new = unsafe X509_new() else { throw OpenSSLError() }
        let certificate = unsafe X509Certificate(owning: new)
        try certificate.fillFields(from: template, key: key)
        let authority = unsafe issuer?.pointer ?? new
        try checkSuccess(result: unsafe X509_set_issuer_name(new, X509_get_subject_name(authority)))
        for (identifier, value) in template.extensions {
            try checkSuccess(
                result: unsafe ferry_x509_add_extension(new, authority, identifier, value))
        }
        guard unsafe X509_sign(new, signingKey.pointer, EVP_sha256()) > 0 else {
            throw OpenSSLError()
        }
        return certificate
    }

    private func fillFields(from template: Template, key: SigningKey) throws(OpenSSLError) {
        // Version 3 is the number 2.
        try checkSuccess(result: unsafe X509_set_version(pointer, 2))
        try checkSuccess(
            result: unsafe ferry_x509_set_serial(
                pointer, template.serialNumber, Int32(template.serialNumber.count)))
        let (begin, end) = (template.notValidBefore, template.notValidAfter)
        try checkSuccess(
            result: unsafe ferry_x509_set_time(pointer, 0, Int64(begin.timeIntervalSince1970)))
        try checkSuccess(
            result: unsafe ferry_x509_set_time(pointer, 1, Int64(end.timeIntervalSince1970)))
        for (field, text) in template.subject {
            try checkSuccess(
                result: unsafe ferry_name_add(X509_get_subject_name(pointer), field, text))
        }
        try checkSuccess(result: unsafe X509_set_pubkey(pointer, key.pointer))
    }
}
