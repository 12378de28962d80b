// PEM files: read with bounds, written whole, private keys never readable by others.

import Host

enum KeyFiles {
    static func make(_ folder: KeyFolder) throws(PKIError) {
        do { try Folder.make(folder.path, mode: 0o700) } catch { throw .system(error) }
    }

    static func refuseExisting(_ paths: [String]) throws(PKIError) {
        for path in paths where File.isThere(path) { throw .fileExists(path: path) }
    }

    /// A secret file is 0600 from its first byte on: it is created so, not changed afterwards.
    static func write(
        _ text: String, to path: String, isSecret: Bool, overwrite: Bool
    ) throws(PKIError) {
        let text = text.hasSuffix("\n") ? text : text + "\n"
        do {
            try AtomicFile.write(
                Array(text.utf8), to: path, mode: isSecret ? 0o600 : 0o644,
                existing: overwrite ? .replace : .keep)
        } catch  where error.code == fileExistsCode {
            throw .fileExists(path: path)
        } catch {
            throw .system(error)
        }
    }

    static func bytes(_ path: String) throws(PKIError) -> [UInt8] {
        do { return try File.read(path, limit: Limits.fileBytesMax) } catch {
            throw .system(error)
        }
    }

    static func certificate(_ path: String) throws(PKIError) -> X509Certificate {
        let pem = try bytes(path)
        do { return try X509Certificate(pem: pem) } catch {
            throw .unreadable(path: path, reason: "it holds no PEM certificate (\(error))")
        }
    }

    static func privateKey(_ path: String) throws(PKIError) -> SigningKey {
        try refuseExposed(path)
        guard let key = SigningKey(pem: try bytes(path)) else {
            throw .unreadable(path: path, reason: "it holds no P-256 private key in PEM")
        }
        return key
    }

    static func refuseExposed(_ path: String) throws(PKIError) {
        let permissions: UInt32
        do { permissions = try File.permissions(path) } catch { throw .system(error) }
        guard permissions & 0o077 == 0 else {
            throw .keyIsExposed(path: path, permissions: permissions)
        }
    }
}

/// EEXIST
private let fileExistsCode: Int32 = 17
