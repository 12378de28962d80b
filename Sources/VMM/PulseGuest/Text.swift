/// A piece of ASCII text somewhere in memory: an argument of the command line, a command.
struct Text {
    private var bytes: UnsafePointer<UInt8>
    private(set) var count: Int

    init(_ bytes: UnsafePointer<UInt8>, count: Int) {
        self.bytes = bytes
        self.count = count
    }

    init(_ literal: StaticString) {
        self.init(literal.utf8Start, count: literal.utf8CodeUnitCount)
    }

    /// Text that ends with a zero byte, cut at `limit`.
    init(terminatedAt bytes: UnsafePointer<UInt8>, limit: Int) {
        var count = 0
        while count < limit, bytes[count] != 0 { count += 1 }
        self.init(bytes, count: count)
    }

    var isEmpty: Bool { count == 0 }

    subscript(index: Int) -> UInt8 { bytes[index] }

    static func == (text: Text, literal: StaticString) -> Bool {
        let other = Text(literal)
        guard text.count == other.count else { return false }
        for index in 0..<text.count where text[index] != other[index] { return false }
        return true
    }

    /// Removes and returns what stands before the first separator, and the separator; all of it if
    /// there is none.
    mutating func removePrefix(before separator: Unicode.Scalar) -> Text {
        var end = 0
        while end < count, bytes[end] != UInt8(ascii: separator) { end += 1 }
        let prefix = Text(bytes, count: end)
        let taken = end < count ? end + 1 : end
        bytes += taken
        count -= taken
        return prefix
    }

    /// The text as a decimal number below 10^18, if it is one.
    var number: UInt64? {
        guard count > 0, count <= 18 else { return nil }
        var value: UInt64 = 0
        for index in 0..<count {
            let digit = bytes[index] &- UInt8(ascii: "0")
            guard digit < 10 else { return nil }
            value = value * 10 + UInt64(digit)
        }
        return value
    }

    /// The text as a size in bytes: a number with K, M or G, or none, behind it.
    var size: UInt64? {
        guard count > 0 else { return nil }
        switch bytes[count - 1] {
        case UInt8(ascii: "K"): return droppingSuffix(length: 1).scaledNumber(times: 1 << 10)
        case UInt8(ascii: "M"): return droppingSuffix(length: 1).scaledNumber(times: 1 << 20)
        case UInt8(ascii: "G"): return droppingSuffix(length: 1).scaledNumber(times: 1 << 30)
        default: return number
        }
    }

    /// The text as a time in microseconds: a number with us, ms or s behind it.
    var microseconds: UInt64? {
        if hasSuffix("us") { return droppingSuffix(length: 2).number }
        if hasSuffix("ms") { return droppingSuffix(length: 2).scaledNumber(times: 1_000) }
        if hasSuffix("s") { return droppingSuffix(length: 1).scaledNumber(times: 1_000_000) }
        return nil
    }

    private func scaledNumber(times unit: UInt64) -> UInt64? {
        guard let number else { return nil }
        let (product, overflow) = number.multipliedReportingOverflow(by: unit)
        return overflow ? nil : product
    }

    private func droppingSuffix(length: Int) -> Text {
        Text(bytes, count: count - length)
    }

    private func hasSuffix(_ suffix: StaticString) -> Bool {
        let length = suffix.utf8CodeUnitCount
        return count >= length && Text(bytes + (count - length), count: length) == suffix
    }
}
