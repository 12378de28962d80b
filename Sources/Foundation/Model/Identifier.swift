// 128-bit identifiers of VMs and migrations: random, never reused.

/// 128 random bits; text form is 32 lower-case hexadecimal digits.
public struct Identifier128: Hashable, Sendable {
    public let high: UInt64
    public let low: UInt64

    public init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    public static func random() -> Identifier128 {
        Identifier128(high: .random(in: .min ... .max), low: .random(in: .min ... .max))
    }
}

extension Identifier128: LosslessStringConvertible, Codable {
    public init?(_ description: String) {
        guard description.utf8.count == 32,
            description.utf8.allSatisfy({ $0 != UInt8(ascii: "+") && $0 != UInt8(ascii: "-") }),
            let high = UInt64(description.prefix(16), radix: 16),
            let low = UInt64(description.dropFirst(16), radix: 16)
        else { return nil }
        self.init(high: high, low: low)
    }

    public var description: String {
        high.hexadecimal(digits: 16) + low.hexadecimal(digits: 16)
    }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        let text = try container.decode(String.self)
        guard let value = Self(text) else {
            throw DecodingError.dataCorruptedError(
                in: container, debugDescription: "'\(text.prefix(40))' is not 32 hexadecimal digits"
            )
        }
        self = value
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }
}

/// A VM's identity through its whole life, on every host it visits.
public typealias VMID = Identifier128

/// One attempt to move a VM.
public typealias MigrationID = Identifier128
