// Decimal numbers in bytes, read without making text of them: exact, and the same on every machine.
//
// What has at most 15 digits and a power of ten up to 22 is one exact product or quotient of two numbers that a Double
// holds exactly (Clinger, "How to read floating point numbers accurately", 1990, the fast path). Everything else goes to
// the standard library.

enum DecimalText {
    /// Nil for what is no whole number, or does not fit.
    static func parseInteger(in bytes: [UInt8], from start: Int, to end: Int) -> Int? {
        var place = start
        let isNegative = place < end && bytes[place] == UInt8(ascii: "-")
        if isNegative { place += 1 }
        guard place < end, end - place <= 19 else { return nil }
        var value = 0
        while place < end {
            guard let digit = digitValue(ofByte: bytes[place]) else { return nil }
            let (product, isTooLarge) = value.multipliedReportingOverflow(by: 10)
            let (sum, overflow) = product.addingReportingOverflow(digit)
            guard !isTooLarge, !overflow else { return nil }
            value = sum
            place += 1
        }
        return isNegative ? -value : value
    }

    /// Sign, digits, a point among them, an exponent: nothing else, so neither "inf" nor "0x1p3". Nil when too large.
    static func parseDouble(in bytes: [UInt8], from start: Int, to end: Int) -> Double? {
        var place = start
        var isNegative = false
        if place < end, bytes[place] == UInt8(ascii: "-") || bytes[place] == UInt8(ascii: "+") {
            isNegative = bytes[place] == UInt8(ascii: "-")
            place += 1
        }
        var mantissa: UInt64 = 0
        var (digits, significant, exponent) = (0, 0, 0)
        var isBehindPoint = false
        while place < end {
            if let digit = digitValue(ofByte: bytes[place]) {
                digits += 1
                if significant > 0 || digit > 0 { significant += 1 }
                if significant <= 18 { mantissa = mantissa * 10 + UInt64(digit) }
                if isBehindPoint { exponent -= 1 }
            } else if bytes[place] == UInt8(ascii: "."), !isBehindPoint {
                isBehindPoint = true
            } else {
                break
            }
            place += 1
        }
        guard digits > 0 else { return nil }
        if place < end {
            guard let written = self.parseExponent(in: bytes, from: place, to: end) else {
                return nil
            }
            exponent += written
        }
        guard significant <= 15, abs(exponent) <= 22 else {
            return slowDouble(in: bytes, from: start, to: end)
        }
        let value =
            exponent < 0
            ? Double(mantissa) / powersOfTen[-exponent] : Double(mantissa) * powersOfTen[exponent]
        return isNegative ? -value : value
    }

    private static func digitValue(ofByte byte: UInt8) -> Int? {
        let value = Int(byte) - 0x30
        return (0...9).contains(value) ? value : nil
    }

    private static func parseExponent(in bytes: [UInt8], from start: Int, to end: Int) -> Int? {
        guard bytes[start] | 0x20 == UInt8(ascii: "e") else { return nil }
        let isSigned = start + 1 < end && bytes[start + 1] == UInt8(ascii: "+")
        guard let value = parseInteger(in: bytes, from: start + (isSigned ? 2 : 1), to: end),
            abs(value) <= 1000
        else { return nil }
        return value
    }

    private static func slowDouble(in bytes: [UInt8], from start: Int, to end: Int) -> Double? {
        guard let value = Double(String(decoding: bytes[start..<end], as: UTF8.self)),
            value.isFinite
        else { return nil }
        return value
    }

    private static let powersOfTen: [Double] = [
        1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16,
        1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
    ]
}
