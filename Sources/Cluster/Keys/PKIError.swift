// What can go wrong with keys and certificates.

package import Host

/// Why keys could not be made or read.
package enum PKIError: Error, Sendable, CustomStringConvertible {
    case system(SystemError)
    /// A file is in the way; nothing was overwritten.
    case fileExists(path: String)
    /// The file is not what its name says.
    case unreadable(path: String, reason: String)
    /// Others may read a private key.
    case keyIsExposed(path: String, permissions: UInt32)
    case noFerryIdentity(path: String)
    case signing(String)
    case validity(days: Int)
    case authorityExpiresFirst(days: Int)

    package var description: String {
        switch self {
        case .system(let error): "\(error)"
        case .fileExists(let path):
            "\(path) exists; remove it, use another folder, or overwrite it with --force"
        case .unreadable(let path, let reason): "\(path): \(reason)"
        case .keyIsExposed(let path, let permissions):
            "\(path) has permissions 0\(String(permissions, radix: 8)): a private key must be 0600 (chmod 600 \(path))"
        case .noFerryIdentity(let path):
            "\(path) holds no identity (a subject alternative name such as ferry://CLUSTER/agent/NAME)"
        case .signing(let reason): "cannot sign the certificate: \(reason)"
        case .validity(let days):
            "a certificate cannot be valid for \(days) days: use 1 to \(Limits.daysMax)"
        case .authorityExpiresFirst(let days):
            "the cluster's authority expires before \(days) days have passed; use fewer --days"
        }
    }
}
