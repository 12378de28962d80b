// Why a connection to a peer could not be made, or ended.

package import Host
package import Model

/// What can go wrong between two peers. Each case has a sentence of its own.
package enum LinkError: Error, Hashable, Sendable {
    /// The TCP connection could not be made.
    case unreachable(SystemError)
    /// The peer's certificate was not issued by this cluster's authority.
    case untrustedPeer(detail: String)
    case expiredCertificate(detail: String)
    /// The certificate has no ferry:// identity, or more than one.
    case noIdentity(detail: String)
    case wrongCluster(expected: ClusterName, found: Identity)
    case wrongRole(expected: Role, found: Identity)
    case wrongName(expected: HostName, found: Identity)
    /// The peer refused our certificate; the alert is its word for why.
    case refusedByPeer(alert: String)
    /// What the peer sent is not TLS.
    case notTLS
    /// The peer speaks no TLS 1.3.
    case tlsTooOld
    /// Another failure of the TLS handshake or of a record.
    case tls(detail: String)
    /// The peer ended the connection properly.
    case closed
    /// The connection broke: reset, or cut off without TLS's goodbye.
    case broken(SystemError?)
    case timedOut(after: Duration)
    /// Another thread of this process asked to stop waiting.
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
        case .noIdentity(let detail): "the peer's certificate names no one: \(detail)"
        case .wrongCluster(let expected, let found):
            "the peer is \(found), which is not of cluster \(expected)"
        case .wrongRole(let expected, let found):
            "the peer is \(found), which has not the role \(expected.rawValue)"
        case .wrongName(let expected, let found):
            "the peer is \(found), but \(expected) was meant"
        case .refusedByPeer(let alert): "the peer refused our certificate: \(alert)"
        case .notTLS: "the peer does not speak TLS"
        case .tlsTooOld: "the peer does not speak TLS 1.3"
        case .tls(let detail): "TLS failed: \(detail)"
        case .closed: "the peer closed the connection"
        case .broken(let error):
            error.map { "the connection broke: \($0)" } ?? "the connection was cut off"
        case .timedOut(let limit): "the peer was silent for \(limit)"
        case .interrupted: "the wait was interrupted"
        case .system(let error): "\(error)"
        }
    }
}
