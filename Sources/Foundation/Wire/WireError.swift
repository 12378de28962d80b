// What can be wrong with bytes that came from outside.

/// Why bytes could not be decoded. Nothing was allocated for what they claimed.
public enum WireError: Error, Hashable, Sendable {
    case truncated(field: String, needed: Int, available: Int)
    case trailingBytes(Int)
    /// A length beyond the bound of its field.
    case tooLong(field: String, count: Int, limit: Int)
    case invalid(field: String, value: UInt64)
    case invalidText(field: String)
}

extension WireError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .truncated(let field, let needed, let available):
            "\(field) needs \(needed) bytes, \(available) are left"
        case .trailingBytes(let count): "\(count) bytes are left over"
        case .tooLong(let field, let count, let limit):
            "\(field) has \(count), the limit is \(limit)"
        case .invalid(let field, let value): "\(field) cannot be \(value)"
        case .invalidText(let field): "\(field) is not valid UTF-8"
        }
    }
}
