// CRC-32C (Castagnoli, RFC 3720 appendix B.4): the checksum of messages and records that are kept.

/// CRC-32C of bytes.
public struct CRC32C: Sendable {
    private var state: UInt32 = ~0

    public init() {}

    public var value: UInt32 { ~state }

    public mutating func updateChecksum(with bytes: some Sequence<UInt8>) {
        for byte in bytes {
            state = Self.table[Int(UInt8(truncatingIfNeeded: state) ^ byte)] ^ (state >> 8)
        }
    }

    public static func checksum(of bytes: some Sequence<UInt8>) -> UInt32 {
        var checksum = CRC32C()
        checksum.updateChecksum(with: bytes)
        return checksum.value
    }

    private static let table: [UInt32] = (0..<256).map { index in
        (0..<8).reduce(UInt32(index)) { value, _ in
            value & 1 == 1 ? (value >> 1) ^ 0x82F6_3B78 : value >> 1
        }
    }
}
