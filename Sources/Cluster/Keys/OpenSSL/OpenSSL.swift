// Calls of OpenSSL that certificates and keys share.

import COpenSSL

/// A failed call of OpenSSL, with the reason that it left on this thread.
struct OpenSSLError: Error, CustomStringConvertible {
    let description: String

    /// Takes the last error of this thread, and empties its queue.
    init() {
        let code = ERR_peek_last_error()
        ERR_clear_error()
        if let reason = unsafe ERR_reason_error_string(code) {
            description = unsafe String(cString: reason)
        } else {
            description = "OpenSSL error \(code)"
        }
    }
}

/// Throws unless a call returned 1, OpenSSL's success.
func checkSuccess(result: Int32) throws(OpenSSLError) {
    guard result == 1 else { throw OpenSSLError() }
}

/// What `read` makes of bytes in memory; nil when it fails.
func withMemoryBIO(
    reading bytes: [UInt8], body read: (OpaquePointer) -> OpaquePointer?
) -> OpaquePointer? {
    unsafe bytes.withUnsafeBytes { bytes -> OpaquePointer? in
        guard let bio = unsafe BIO_new_mem_buf(bytes.baseAddress, Int32(bytes.count)) else {
            return nil
        }
        defer { unsafe BIO_free(bio) }
        return unsafe read(bio)
    }
}

/// The text that `write` puts into a BIO.
func textWritten(by write: (OpaquePointer) -> Int32) throws(OpenSSLError) -> String {
    guard let bio = unsafe BIO_new(BIO_s_mem()) else { throw OpenSSLError() }
    defer { unsafe BIO_free(bio) }
    try checkSuccess(result: unsafe write(bio))
    var start: UnsafeMutablePointer<CChar>?
    let count = unsafe ferry_bio_bytes(bio, &start)
    return unsafe String(
        decoding: UnsafeRawBufferPointer(start: start, count: count), as: UTF8.self)
}

/// SHA-256 of some bytes.
package func sha256Digest(of bytes: [UInt8]) -> [UInt8] {
    var digest = [UInt8](repeating: 0, count: Int(EVP_MAX_MD_SIZE))
    var count: UInt32 = 0
    let isDone = unsafe EVP_Digest(bytes, bytes.count, &digest, &count, EVP_sha256(), nil)
    precondition(isDone == 1, "OpenSSL has SHA-256")
    return Array(digest.prefix(Int(count)))
}
