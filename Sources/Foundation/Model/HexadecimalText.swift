// Numbers and bytes in hexadecimal, lower case.

extension FixedWidthInteger where Self: UnsignedInteger {
    /// The digits without leading zeros: "1f".
    public var hexadecimal: String { String(self, radix: 16) }

    /// The digits with leading zeros, as many as `digits`, or more if the value needs them: "001f".
    public func hexadecimal(digits: Int) -> String {
        let text = hexadecimal
        return String(repeating: "0", count: Swift.max(0, digits - text.utf8.count)) + text
    }
}

extension Sequence<UInt8> {
    /// Two digits for each byte: "00 1f" with the separator " ".
    public func hexadecimal(separator: String = "") -> String {
        map { $0.hexadecimal(digits: 2) }.joined(separator: separator)
    }
}
