// Numbers as people and programs read them.

extension Double {
    /// Rounded to this number of decimal places, 0 to 15.
    public func rounded(decimals: Int) -> Double {
        let scale = (0..<decimals).reduce(1.0) { scale, _ in scale * 10 }
        return (self * scale).rounded() / scale
    }

    /// The value as text; a whole number stands without a fraction: "3", "0.25".
    public var plainText: String {
        self == rounded() && abs(self) < 1e15 ? "\(Int64(self))" : "\(self)"
    }
}
