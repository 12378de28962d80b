// One number for the whole memory of a guest: equal at both ends when every page landed as it was sent.

/// The sum, modulo 2^64 in each lane, of one term a page. Terms are made in PageCodec.
public struct MemoryDigest: Hashable, Sendable, CustomStringConvertible {
    public var low: UInt64
    public var high: UInt64

    public init(low: UInt64 = 0, high: UInt64 = 0) {
        self.low = low
        self.high = high
    }

    /// No page at all.
    public static let empty = MemoryDigest()

    public static func + (left: MemoryDigest, right: MemoryDigest) -> MemoryDigest {
        MemoryDigest(low: left.low &+ right.low, high: left.high &+ right.high)
    }

    public static func - (left: MemoryDigest, right: MemoryDigest) -> MemoryDigest {
        MemoryDigest(low: left.low &- right.low, high: left.high &- right.high)
    }

    public var description: String { Identifier128(high: high, low: low).description }
}
