// Little-endian encoding into a growing buffer: for messages and saved state, not for pages.

/// Appends values, little-endian, without padding.
public struct ByteWriter: Sendable {
    public private(set) var bytes: [UInt8]

    public init(reserving count: Int = 64) {
        bytes = []
        bytes.reserveCapacity(count)
    }

    public mutating func writeInteger<Value: FixedWidthInteger>(_ value: Value) {
        var rest = value
        for _ in 0..<(Value.bitWidth / 8) {
            bytes.append(UInt8(truncatingIfNeeded: rest))
            rest = Value.bitWidth > 8 ? rest >> 8 : 0
        }
    }

    public mutating func writeBool(_ value: Bool) { writeInteger(UInt8(value ? 1 : 0)) }

    /// Bytes without a length: the reader knows how many.
    public mutating func writeBytes(raw: some Sequence<UInt8>) { bytes.append(contentsOf: raw) }

    /// A 32-bit length, then the bytes.
    public mutating func writeBytes(counted: [UInt8]) {
        writeInteger(UInt32(counted.count))
        writeBytes(raw: counted)
    }

    /// UTF-8 with a 32-bit length.
    public mutating func writeText(_ text: String) {
        writeInteger(UInt32(text.utf8.count))
        writeBytes(raw: text.utf8)
    }

    /// A presence byte, then the value.
    public mutating func writeOptional<Value>(
        value: Value?, using writeValue: (inout ByteWriter, Value) -> Void
    ) {
        writeBool(value != nil)
        if let value { writeValue(&self, value) }
    }

    /// A 32-bit count, then each element.
    public mutating func writeList<Element>(
        of list: [Element], using writeElement: (inout ByteWriter, Element) -> Void
    ) {
        writeInteger(UInt32(list.count))
        for element in list { writeElement(&self, element) }
    }
}
