// Why a connection to a peer could not be opened, or ended.

package import Host
package import Model

/// Errors of a connection between two peers. Each case has its own sentence.
package enum LinkError: Error, Hashable, Sendable {
    /// The TCP connection could not be opened.
    case unreachable(SystemError)
    /// The peer's certificate was not issued by this cluster's authority.
    case untrustedPeer(detail: String)
    case expiredCertificate(detail: String)
    /// The certificate has no ferry:// identity, or more than one.
    case noIdentity(detail: String)
    case wrongCluster(expected: ClusterName, found: Identity)
    case wrongRole(expected: Role, found: Identity)
    case wrongName(expected: HostName, found: Identity)
    /// The peer refused our certificate; the alert contains the peer's reason.
    case refusedByPeer(alert: String)
    /// The peer's data is not TLS.
    case notTLS
    /// The peer does not support TLS 1.3.
    case tlsTooOld
    /// Another failure of the TLS handshake or of a record.
    case tls(detail: String)
    /// The peer closed the connection properly.
    case closed
    /// The connection broke: it was reset, or it ended without TLS's close notification.
    case broken(SystemError?)
    case timedOut(after: Duration)
    /// Another thread of this process requested the end of the wait.
    case interrupted
    case system(SystemError)
}

extension LinkError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .unreachable(let error): "the peer cannot be reached: \(error)"
        case .untrustedPeer(let detail):
            "the peer's certificate was not issued by this cluster's authority: \(detail)"
        case .expiredCertificate(let detail):
            "the peer's certificate is not valid at this time: \(detail)"
        case .noIdentity(let detail): "the peer's certificate contains no identity: \(detail)"
        case .wrongCluster(let expected, let found):
            "the peer is \(found), which is not in cluster \(expected)"
        case .wrongRole(let expected, let found):
            "the peer is \(found), which does not have the role \(expected.rawValue)"
        case .wrongName(let expected, let found):
            "the peer is \(found), but \(expected) was expected"
        case .refusedByPeer(let alert): "the peer refused our certificate: \(alert)"
        case .notTLS: "the peer does not speak TLS"
        case .tlsTooOld: "the peer does not speak TLS 1.3"
        case .tls(let detail): "TLS failed: \(detail)"
        case .closed: "the peer closed the connection"
        case .broken(let error):
            error.map { "the connection broke: \($0)" } ?? "the peer cut the connection off"
        case .timedOut(let limit): "the peer was silent for \(limit)"
        case .interrupted: "the wait was interrupted"
        case .system(let error): "\(error)"
        }
    }
}
