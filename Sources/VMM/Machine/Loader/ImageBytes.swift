// Reads numbers from a kernel's file at offsets that the file itself claims.

/// Bytes of an image. Every access is checked; a field that is not all there throws.
struct ImageBytes: Sendable {
    let bytes: [UInt8]

    func readInteger<Value: FixedWidthInteger & UnsignedInteger>(
        as type: Value.Type, at offset: Int, field: String
    ) throws(KernelError) -> Value {
        var value: Value = 0
        var shift = 0
        for byte in try readSlice(
            at: UInt64(clamping: offset), count: Value.bitWidth / 8, field: field)
        {
            value |= Value(truncatingIfNeeded: byte) << shift
            shift += 8
        }
        return value
    }

    func readSlice(
        at offset: UInt64, count: some BinaryInteger, field: String
    ) throws(KernelError) -> ArraySlice<UInt8> {
        guard let start = Int(exactly: offset), let count = Int(exactly: count), count >= 0,
            start <= bytes.count, count <= bytes.count - start
        else { throw .truncated(field: field) }
        return bytes[start..<(start + count)]
    }
}
