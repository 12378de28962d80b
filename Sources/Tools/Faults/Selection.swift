// Which scenarios run, how often, in which order.

import Model

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
            var generator = SplitMix64(seed: seed)
            chosen.shuffle(using: &generator)
        }
        scenarios = Array(chosen.dropFirst(skip).prefix(limit ?? .max))
    }
}
