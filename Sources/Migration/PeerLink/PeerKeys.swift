// A host's keys folder as the peer protocol uses it: ca.pem, cert.pem, key.pem.

import COpenSSL
import Glibc
import Host
package import Model

/// Why a keys folder cannot be used.
package enum KeysError: Error, Hashable, Sendable, CustomStringConvertible {
    case unreadable(path: String, detail: String)
    /// Users other than its owner can read the private key.
    case keyIsExposed(path: String, mode: UInt32)
    /// Certificate and private key do not belong together.
    case keyDoesNotMatch(path: String)
    case noIdentity(path: String, detail: String)

    package var description: String {
        switch self {
        case .unreadable(let path, let detail): "\(path) cannot be used: \(detail)"
        case .keyIsExposed(let path, let mode):
            "\(path) has mode \(String(mode, radix: 8)): only its owner may read it (chmod 600)"
        case .keyDoesNotMatch(let path): "\(path) is not the key of the certificate beside it"
        case .noIdentity(let path, let detail): "\(path) contains no identity: \(detail)"
        }
    }
}

/// The certificates and the key of one host, loaded and checked, for connecting and accepting.
@safe package final class PeerKeys: @unchecked Sendable {
    /// The identity of this host, from its own certificate.
    package let identity: Identity

    /// `@unchecked`: an SSL_CTX counts its references atomically and is not changed after `init`.
    let client: OpaquePointer
    let server: OpaquePointer

    package init(folder: String) throws(KeysError) {
        // A write to a connection that the peer closed returns an error, and never raises a signal that ends the
        // process.
        _ = signal(SIGPIPE, SIG_IGN)
        try checkKeyFile(path: "\(folder)/key.pem")
        let client = unsafe try makeContext(method: TLS_client_method(), folder: folder)
        let server: OpaquePointer
        do {
            unsafe server = try makeContext(method: TLS_server_method(), folder: folder)
        } catch {
            unsafe SSL_CTX_free(client)
            throw error
        }
        unsafe self.client = client
        unsafe self.server = server
        do throws(IdentityProblem) {
            guard let certificate = unsafe SSL_CTX_get0_certificate(client) else {
                throw IdentityProblem(detail: "it contains no certificate")
            }
            identity = try unsafe PeerLink.readIdentity(from: certificate)
        } catch {
            throw .noIdentity(path: "\(folder)/cert.pem", detail: error.detail)
        }
    }

    deinit {
        unsafe SSL_CTX_free(client)
        unsafe SSL_CTX_free(server)
    }
}

private func checkKeyFile(path: String) throws(KeysError) {
    var status = stat()
    guard unsafe stat(path, &status) == 0 else {
        throw .unreadable(path: path, detail: unsafe String(cString: strerror(errno)))
    }
    guard status.st_mode & 0o077 == 0 else {
        throw .keyIsExposed(path: path, mode: status.st_mode & 0o777)
    }
    guard status.st_size <= Limits.keyFileBytesMax else {
        throw .unreadable(path: path, detail: "it has \(status.st_size) bytes")
    }
}

/// Only TLS 1.3, certificates on both sides, only the cluster's authority, no resumption: a session ticket must not
/// outlive the validity of a certificate.
private func makeContext(
    method: OpaquePointer?, folder: String
) throws(KeysError) -> OpaquePointer {
    guard let context = unsafe SSL_CTX_new(method) else {
        throw .unreadable(path: folder, detail: "OpenSSL: \(lastErrorText())")
    }
    do {
        unsafe configureContext(context)
        try unsafe loadCertificates(into: context, folder: folder)
        return unsafe context
    } catch {
        unsafe SSL_CTX_free(context)
        throw error
    }
}

private func configureContext(_ context: OpaquePointer) {
    // AES-128-GCM first: for pages it is twice as fast as AES-256-GCM.
    let suites = "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256"
    precondition(
        unsafe ferry_ssl_ctx_only_version(context, TLS1_3_VERSION) == 1
            && SSL_CTX_set_ciphersuites(context, suites) == 1
            && SSL_CTX_set_num_tickets(context, 0) == 1,
        "OpenSSL 3 supports TLS 1.3 and its cipher suites")
    unsafe ferry_ssl_ctx_no_session_cache(context)
    unsafe ferry_ssl_ctx_no_tickets(context)
    unsafe SSL_CTX_set_verify(
        context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nil)
    // Buffers are kept between records (no SSL_MODE_RELEASE_BUFFERS): a stream is busy during its whole life.
    unsafe ferry_ssl_ctx_set_mode(
        context, Int(SSL_MODE_ENABLE_PARTIAL_WRITE) | Int(SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER))
    unsafe ferry_ssl_ctx_set_read_ahead(context)
    unsafe SSL_CTX_set_default_read_buffer_len(context, Limits.readBufferBytes)
}

private func loadCertificates(into context: OpaquePointer, folder: String) throws(KeysError) {
    ERR_clear_error()
    func unreadableError(file name: String) -> KeysError {
        .unreadable(path: "\(folder)/\(name)", detail: lastErrorText())
    }
    guard unsafe SSL_CTX_load_verify_locations(context, "\(folder)/ca.pem", nil) == 1 else {
        throw unreadableError(file: "ca.pem")
    }
    guard unsafe SSL_CTX_use_certificate_chain_file(context, "\(folder)/cert.pem") == 1 else {
        throw unreadableError(file: "cert.pem")
    }
    let key = "\(folder)/key.pem"
    guard unsafe SSL_CTX_use_PrivateKey_file(context, key, SSL_FILETYPE_PEM) == 1 else {
        let reason = ferry_err_reason(ERR_peek_last_error())
        if reason == X509_R_KEY_VALUES_MISMATCH { throw .keyDoesNotMatch(path: key) }
        throw unreadableError(file: "key.pem")
    }
    guard unsafe SSL_CTX_check_private_key(context) == 1 else { throw .keyDoesNotMatch(path: key) }
}

/// The text of OpenSSL's last error on this thread; empties the queue.
func lastErrorText() -> String {
    let error = ERR_peek_last_error()
    ERR_clear_error()
    guard let text = unsafe ERR_reason_error_string(error) else { return "error \(error)" }
    return unsafe String(cString: text)
}
