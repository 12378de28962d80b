// Who sends a request: the holder of a certificate, or of a token.

package import API
package import Model

package enum Caller: Hashable, Sendable, CustomStringConvertible {
    case certificate(Identity)
    case token(name: String, role: TokenRole)

    package var description: String {
        switch self {
        case .certificate(let identity): "\(identity)"
        case .token(let name, _): "token \(name)"
        }
    }
}
