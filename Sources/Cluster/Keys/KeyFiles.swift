// PEM files: read with bounds, written whole, private keys never readable by others.

import Host

enum KeyFiles {
    static func createFolder(at folder: KeyFolder) throws(PKIError) {
        do { try Folder.createFolder(at: folder.path, mode: 0o700) } catch { throw .system(error) }
    }

    static func refuseExistingFiles(at paths: [String]) throws(PKIError) {
        for path in paths where File.isPresent(at: path) { throw .fileExists(path: path) }
    }

    /// A secret file is 0600 from its first byte on: it is created so, not changed afterwards.
    static func writeTextFile(
        _ text: String, to path: String, isSecret: Bool, overwrite: Bool
    ) throws(PKIError) {
        let text = text.hasSuffix("\n") ? text : text + "\n"
        do {
            try AtomicFile.writeBytes(
                Array(text.utf8), to: path, mode: isSecret ? 0o600 : 0o644,
                ifExists: overwrite ? .replace : .keep)
        } catch  where error.code == fileExistsCode {
            throw .fileExists(path: path)
        } catch {
            throw .system(error)
        }
    }

    static func readBytes(at path: String) throws(PKIError) -> [UInt8] {
        do { return try File.readContents(at: path, limit: Limits.fileBytesMax) } catch {
            throw .system(error)
        }
    }

    static func loadCertificate(at path: String) throws(PKIError) -> X509Certificate {
        let pem = try readBytes(at: path)
        do { return try X509Certificate(pem: pem) } catch {
            throw .unreadable(path: path, reason: "it holds no PEM certificate (\(error))")
        }
    }

    static func loadPrivateKey(at path: String) throws(PKIError) -> SigningKey {
        try refuseExposedKey(at: path)
        guard let key = SigningKey(pem: try readBytes(at: path)) else {
            throw .unreadable(path: path, reason: "it holds no P-256 private key in PEM")
        }
        return key
    }

    static func refuseExposedKey(at path: String) throws(PKIError) {
        let permissions: UInt32
        do { permissions = try File.permissionBits(at: path) } catch { throw .system(error) }
        guard permissions & 0o077 == 0 else {
            throw .keyIsExposed(path: path, permissions: permissions)
        }
    }
}

/// EEXIST
private let fileExistsCode: Int32 = 17
