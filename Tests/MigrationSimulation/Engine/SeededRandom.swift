// Chance that repeats itself: the same seed gives the same numbers on every machine.

import Model

/// What scenarios are made with.
package struct SeededRandom: RandomNumberGenerator, Sendable {
    private var numbers: SplitMix64

    package init(seed: UInt64) { numbers = SplitMix64(seed: seed) }

    package mutating func next() -> UInt64 { numbers.next() }

    /// A generator whose numbers have nothing to do with this one's later ones.
    package mutating func split() -> SeededRandom { SeededRandom(seed: next()) }

    package mutating func chance(_ probability: Double) -> Bool {
        numbers.drawFraction() < probability
    }

    package mutating func number(_ range: ClosedRange<Int>) -> Int {
        range.lowerBound + Int(next() % UInt64(range.count))
    }

    package mutating func pick<Value>(_ values: [Value]) -> Value {
        values[Int(next() % UInt64(values.count))]
    }

    /// As often between 1 and 2 as between 100 and 200.
    package mutating func scaled(_ range: ClosedRange<Double>) -> Double {
        let steps = Self.doublings(range.upperBound / range.lowerBound)
        var left = numbers.drawFraction() * steps
        var value = range.lowerBound
        // Powers of two and a straight line between: exact everywhere, unlike exp().
        while left >= 1 {
            value *= 2
            left -= 1
        }
        return min(range.upperBound, value * (1 + left))
    }

    package mutating func duration(_ range: ClosedRange<Duration>) -> Duration {
        .nanoseconds(
            Int64(
                scaled(
                    Double(
                        range.lowerBound.wholeNanoseconds)...Double(
                            range.upperBound.wholeNanoseconds))))
    }

    private static func doublings(_ ratio: Double) -> Double {
        var steps = 0.0
        var rest = ratio
        while rest >= 2 {
            rest /= 2
            steps += 1
        }
        return steps + (rest - 1)
    }
}
