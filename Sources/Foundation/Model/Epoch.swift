// Who owns a VM, in what generation.

/// The generation of a VM's ownership: it grows by one or more with each change of owner and never shrinks.
public struct Epoch: Hashable, Comparable, Sendable, Codable, CustomStringConvertible {
    public let number: UInt64

    public init(_ number: UInt64) { self.number = number }

    /// The epoch of a VM that has never moved.
    public static let first = Epoch(1)

    /// What an epoch may be: after the last there are always two more.
    public static let valid = Epoch.first...Epoch(.max - 2)

    public var next: Epoch { Epoch(number + 1) }
    public var description: String { "\(number)" }
    public static func < (left: Epoch, right: Epoch) -> Bool { left.number < right.number }

    public init(from decoder: any Decoder) throws {
        number = try decoder.singleValueContainer().decode(UInt64.self)
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(number)
    }
}
