// Which scenarios run, how often, in which order.

package struct Selection {
    package let scenarios: [Scenario]

    /// Throws for what is no regular expression.
    package init(only: String?, repeats: Int, seed: UInt64, skip: Int = 0, limit: Int? = nil) throws
    {
        var chosen = Matrix.all
        if let only {
            let pattern = try Regex(only)
            chosen = chosen.filter { $0.name.contains(pattern) }
        }
        chosen = (0..<max(1, repeats)).flatMap { _ in chosen }
        if seed != 0 {
            var generator = SplitMix(state: seed)
            chosen.shuffle(using: &generator)
        }
        scenarios = Array(chosen.dropFirst(skip).prefix(limit ?? .max))
    }
}

/// SplitMix64: the same order for the same seed, everywhere.
private struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var value = state
        value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
        return value ^ (value >> 31)
    }
}
