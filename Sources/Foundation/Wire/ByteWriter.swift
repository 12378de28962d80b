// Little-endian encoding into a growing buffer: for messages and saved state, not for pages.

/// Appends values, little-endian, without padding.
public struct ByteWriter: Sendable {
    public private(set) var bytes: [UInt8]

    public init(reserving count: Int = 64) {
        bytes = []
        bytes.reserveCapacity(count)
    }

    public mutating func write<Value: FixedWidthInteger>(_ value: Value) {
        var rest = value
        for _ in 0..<(Value.bitWidth / 8) {
            bytes.append(UInt8(truncatingIfNeeded: rest))
            rest = Value.bitWidth > 8 ? rest >> 8 : 0
        }
    }

    public mutating func write(_ value: Bool) { write(UInt8(value ? 1 : 0)) }

    /// Bytes without a length: the reader knows how many.
    public mutating func write(raw: some Sequence<UInt8>) { bytes.append(contentsOf: raw) }

    /// A 32-bit length, then the bytes.
    public mutating func write(counted: [UInt8]) {
        write(UInt32(counted.count))
        write(raw: counted)
    }

    /// UTF-8 with a 32-bit length.
    public mutating func write(_ text: String) {
        write(UInt32(text.utf8.count))
        write(raw: text.utf8)
    }

    /// A presence byte, then the value.
    public mutating func write<Value>(
        optional value: Value?, _ writeValue: (inout ByteWriter, Value) -> Void
    ) {
        write(value != nil)
        if let value { writeValue(&self, value) }
    }

    /// A 32-bit count, then each element.
    public mutating func write<Element>(
        list: [Element], _ writeElement: (inout ByteWriter, Element) -> Void
    ) {
        write(UInt32(list.count))
        for element in list { writeElement(&self, element) }
    }
}
