// What can come of asking an agent.

package import API
package import Model

package enum ClientError: Error, Sendable, CustomStringConvertible {
    /// The agent answered with a problem.
    case problem(Problem, host: HostName)
    /// No connection, or one that broke.
    case unreachable(host: HostName, address: String, reason: String)
    /// The TLS handshake failed: the wrong certificate at this end or at the other.
    case notTrusted(host: HostName, reason: String)
    /// The answer is not one of this API.
    case unexpected(host: HostName, reason: String)
    /// The keys cannot be used.
    case keys(String)

    package var description: String {
        switch self {
        case .problem(let problem, _): problem.detail
        case .unreachable(let host, let address, let reason):
            "host \(host) does not answer at \(address): \(reason)"
        case .notTrusted(let host, let reason):
            "host \(host) and this client do not trust each other: \(reason)"
        case .unexpected(let host, let reason): "host \(host) gave an unexpected answer: \(reason)"
        case .keys(let reason): reason
        }
    }
}
