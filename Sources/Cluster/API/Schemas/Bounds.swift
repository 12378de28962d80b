// Bounds that several messages share.

extension ClosedRange<Int64> {
    /// 1 PiB.
    static let hostMemory: Self = 0...(1 << 50)
    static let milliseconds: Self = 0...(1 << 53)
}

extension ClosedRange<Int> {
    static let shortText: Self = 0...100
    static let word: Self = 1...100
}

extension ClosedRange<Double> {
    static let cores: Self = 0...1e6
    static let percent: Self = 0...100
    static let setting: Self = 0...1e9
}

extension FieldDescription {
    /// A number of at least 0.
    static func nonNegativeNumber(description text: String) -> FieldDescription {
        .boundedNumber(description: text, atLeast: 0)
    }
    static func timestamp(description text: String) -> FieldDescription {
        .boundedInteger(description: "\(text), in milliseconds since 1970.", range: .milliseconds)
    }
}
