// Seeds for runs that are repeated: derived from one, so that a sweep has a single number to remember.

import Model

package enum RunSeeds {
    /// So many seeds, all different (SplitMix64 is a bijection of a counter), the same for the same `seed`. The first
    /// ones do not depend on `count`.
    package static func derived(_ count: Int, from seed: UInt64) -> [UInt64] {
        var lots = SplitMix64(seed: seed)
        return (0..<max(0, count)).map { _ in lots.next() }
    }
}
