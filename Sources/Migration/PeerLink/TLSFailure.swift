// Maps OpenSSL's error codes to LinkError.

import COpenSSL
import Glibc
import Host

/// The error of an OpenSSL call that waiting cannot complete.
func tlsFailure(of ssl: OpaquePointer, result: Int32, systemCode: Int32) -> LinkError {
    switch unsafe SSL_get_error(ssl, result) {
    case SSL_ERROR_ZERO_RETURN: return .closed
    case SSL_ERROR_SYSCALL:
        return .broken(systemCode == 0 ? nil : SystemError(call: "TLS stream", code: systemCode))
    default: return unsafe protocolFailure(of: ssl)
    }
}

private func protocolFailure(of ssl: OpaquePointer) -> LinkError {
    let reason = ferry_err_reason(ERR_peek_last_error())
    let text = lastErrorText()
    switch reason {
    case SSL_R_UNEXPECTED_EOF_WHILE_READING: return .broken(nil)
    case SSL_R_CERTIFICATE_VERIFY_FAILED: return unsafe certificateFailure(of: ssl)
    case SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE:
        return .untrustedPeer(detail: "the peer sent no certificate")
    case SSL_R_WRONG_VERSION_NUMBER, SSL_R_HTTP_REQUEST, SSL_R_HTTPS_PROXY_REQUEST,
        SSL_R_PACKET_LENGTH_TOO_LONG, SSL_R_BAD_RECORD_TYPE, SSL_R_UNEXPECTED_MESSAGE,
        SSL_R_RECORD_TOO_SMALL:
        return unsafe SSL_is_init_finished(ssl) == 1 ? .tls(detail: text) : .notTLS
    case SSL_R_UNSUPPORTED_PROTOCOL, SSL_R_WRONG_SSL_VERSION, SSL_R_VERSION_TOO_LOW,
        SSL_R_TLSV1_ALERT_PROTOCOL_VERSION:
        return .tlsTooOld
    case SSL_R_SSLV3_ALERT_BAD_CERTIFICATE, SSL_R_SSLV3_ALERT_UNSUPPORTED_CERTIFICATE,
        SSL_R_SSLV3_ALERT_CERTIFICATE_REVOKED, SSL_R_SSLV3_ALERT_CERTIFICATE_EXPIRED,
        SSL_R_SSLV3_ALERT_CERTIFICATE_UNKNOWN, SSL_R_TLSV1_ALERT_UNKNOWN_CA,
        SSL_R_TLSV1_ALERT_ACCESS_DENIED, SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED:
        // The text has the form "tlsv1 alert unknown ca": the peer's reason follows "alert".
        let word = text.split(separator: "alert ", maxSplits: 1).last.map(String.init)
        return .refusedByPeer(alert: word ?? text)
    default: return .tls(detail: text)
    }
}

private func certificateFailure(of ssl: OpaquePointer) -> LinkError {
    let result = unsafe SSL_get_verify_result(ssl)
    let detail =
        unsafe X509_verify_cert_error_string(result).map { unsafe String(cString: $0) }
        ?? "error \(result)"
    switch Int32(result) {
    case X509_V_ERR_CERT_HAS_EXPIRED, X509_V_ERR_CERT_NOT_YET_VALID:
        return .expiredCertificate(detail: detail)
    default: return .untrustedPeer(detail: detail)
    }
}
