// A number of bytes, and how people write it.

/// A number of bytes. Text form: a whole number with an optional binary unit ("1GiB", "64 MiB", "4096").
public struct ByteCount: Hashable, Comparable, Sendable, Codable {
    public let bytes: UInt64

    public init(_ bytes: UInt64) { self.bytes = bytes }

    public static func kibibytes(_ count: UInt64) -> ByteCount { ByteCount(count << 10) }
    public static func mebibytes(_ count: UInt64) -> ByteCount { ByteCount(count << 20) }
    public static func gibibytes(_ count: UInt64) -> ByteCount { ByteCount(count << 30) }

    public static func < (left: ByteCount, right: ByteCount) -> Bool { left.bytes < right.bytes }

    public init(from decoder: any Decoder) throws {
        bytes = try decoder.singleValueContainer().decode(UInt64.self)
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(bytes)
    }
}

extension ByteCount: LosslessStringConvertible {
    private static let units: [(suffix: String, shift: UInt64)] = [
        ("KiB", 10), ("MiB", 20), ("GiB", 30), ("TiB", 40),
        ("K", 10), ("M", 20), ("G", 30), ("T", 40), ("B", 0), ("", 0),
    ]

    /// Nil when the text is not a whole number with a known unit, or does not fit 64 bits.
    public init?(_ description: String) {
        let digits = description.prefix { $0.isASCII && $0.isNumber }
        let suffix = description.dropFirst(digits.count).drop { $0 == " " }
        guard let count = UInt64(digits),
            let unit = Self.units.first(where: { $0.suffix.lowercased() == suffix.lowercased() })
        else { return nil }
        let (bytes, overflow) = count.multipliedReportingOverflow(by: 1 << unit.shift)
        guard !overflow else { return nil }
        self.init(bytes)
    }

    /// The exact value in the largest unit that divides it: "1GiB", "1536MiB", "100B".
    public var description: String {
        for (suffix, shift) in Self.units.prefix(4).reversed()
        where bytes > 0 && bytes % (1 << shift) == 0 {
            return "\(bytes >> shift)\(suffix)"
        }
        return "\(bytes)B"
    }
}
