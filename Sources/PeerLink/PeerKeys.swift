// A host's keys folder as the peer protocol uses it: ca.pem, cert.pem, key.pem.

package import Model

/// Why a keys folder cannot be used.
package enum KeysError: Error, Hashable, Sendable, CustomStringConvertible {
    case unreadable(path: String, detail: String)
    /// The private key can be read by others than its owner.
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
        case .noIdentity(let path, let detail): "\(path) names no one: \(detail)"
        }
    }
}

/// The certificates and the key of one host, loaded and checked.
package final class PeerKeys: Sendable {
    /// Who this host is, from its own certificate.
    package let identity: Identity

    package init(folder: String) throws(KeysError) {
        throw .unreadable(path: folder, detail: "being written")
    }
}
