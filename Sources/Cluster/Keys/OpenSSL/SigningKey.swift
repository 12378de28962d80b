// A P-256 private key in OpenSSL's memory.

import COpenSSL

/// `@unchecked`: OpenSSL counts references atomically, and a key is not changed.
@safe final class SigningKey: @unchecked Sendable {
    let pointer: OpaquePointer

    private init(owning pointer: OpaquePointer) { unsafe self.pointer = pointer }

    deinit { unsafe EVP_PKEY_free(pointer) }

    /// A new, random key.
    static func generate() throws(OpenSSLError) -> SigningKey {
        guard let key = unsafe ferry_key_generate() else { throw OpenSSLError() }
        return unsafe SigningKey(owning: key)
    }

    /// Nil when the text holds no P-256 key that is not encrypted. It gives no reason: an error of the parser could quote
    /// key material.
    convenience init?(pem: [UInt8]) {
        defer { ERR_clear_error() }
        let read = unsafe withMemoryBIO(reading: pem) { unsafe ferry_key_read($0) }
        guard let read = unsafe read else { return nil }
        guard unsafe ferry_key_is_p256(read) == 1 else {
            unsafe EVP_PKEY_free(read)
            return nil
        }
        unsafe self.init(owning: read)
    }

    /// PKCS#8.
    var pem: String {
        get throws(OpenSSLError) {
            unsafe try textWritten { unsafe ferry_key_write($0, pointer) }
        }
    }
}
