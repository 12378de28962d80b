// The inverse of ByteWriter over bytes that nobody vouches for: every length is checked before use.

/// Reads little-endian values from the front; throws, never traps.
public struct ByteReader: Sendable {
    private let bytes: ArraySlice<UInt8>
    private var position: Int

    public init(_ bytes: some Collection<UInt8>) { self.init(ArraySlice(bytes)) }

    public init(_ bytes: ArraySlice<UInt8>) {
        self.bytes = bytes
        position = bytes.startIndex
    }

    public var available: Int { bytes.endIndex - position }

    public mutating func readBytes(count: Int, field: String) throws(WireError) -> ArraySlice<UInt8>
    {
        guard count >= 0, count <= available else {
            throw .truncated(field: field, needed: count, available: available)
        }
        defer { position += count }
        return bytes[position..<(position + count)]
    }

    public mutating func readInteger<Value: FixedWidthInteger>(
        as type: Value.Type = Value.self, field: String
    ) throws(WireError) -> Value {
        var value: Value = 0
        var shift = 0
        for byte in try readBytes(count: Value.bitWidth / 8, field: field) {
            value |= Value(truncatingIfNeeded: byte) << shift
            shift += 8
        }
        return value
    }

    public mutating func readBool(field: String) throws(WireError) -> Bool {
        let value: UInt8 = try readInteger(field: field)
        guard value <= 1 else { throw .invalid(field: field, value: UInt64(value)) }
        return value == 1
    }

    /// A 32-bit count within `limit`.
    public mutating func readCount(limit: Int, field: String) throws(WireError) -> Int {
        let count = Int(try readInteger(as: UInt32.self, field: field))
        guard count <= limit else { throw .tooLong(field: field, count: count, limit: limit) }
        return count
    }

    public mutating func readCountedBytes(limit: Int, field: String) throws(WireError) -> [UInt8] {
        let count = try readCount(limit: limit, field: field)
        return Array(try readBytes(count: count, field: field))
    }

    public mutating func readText(limit: Int, field: String) throws(WireError) -> String {
        guard
            let text = String(
                validating: try readCountedBytes(limit: limit, field: field), as: UTF8.self)
        else { throw .invalidText(field: field) }
        return text
    }

    public mutating func readOptional<Value>(
        field: String, using readValue: (inout ByteReader) throws(WireError) -> Value
    ) throws(WireError) -> Value? {
        try readBool(field: field) ? try readValue(&self) : nil
    }

    /// Elements of at least `elementBytesMin` bytes each, at most `limit` of them.
    public mutating func readList<Element>(
        limit: Int, elementBytesMin: Int = 1, field: String,
        using readElement: (inout ByteReader) throws(WireError) -> Element
    ) throws(WireError) -> [Element] {
        let count = try readCount(limit: limit, field: field)
        guard count * elementBytesMin <= available else {
            throw .truncated(field: field, needed: count * elementBytesMin, available: available)
        }
        var elements: [Element] = []
        elements.reserveCapacity(count)
        for _ in 0..<count { elements.append(try readElement(&self)) }
        return elements
    }

    /// Call at the end: a message that is longer than what was read is not understood.
    public func requireFullyRead() throws(WireError) {
        guard available == 0 else { throw .trailingBytes(available) }
    }
}
