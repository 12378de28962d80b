// Random numbers of the distributions that workloads are made of: from SplitMix64 and `PortableMath`, so that a seed means
// the same on every machine.

import Model

struct Variates {
    private var lots: SplitMix64

    init(seed: UInt64) { lots = SplitMix64(seed: seed) }

    /// From 0 up to 1.
    mutating func drawFraction() -> Double { lots.drawFraction() }

    mutating func drawNumber(below bound: Int) -> Int { lots.drawNumber(below: bound) }

    /// Standard normal, by inversion: the middle of one of 2^53 equal shares.
    mutating func drawNormal() -> Double {
        PortableMath.normalQuantile(ofShare: lots.drawFraction() + 0x1p-54)
    }

    mutating func exponential(mean: Double) -> Double {
        -mean * PortableMath.naturalLogarithm(1 - lots.drawFraction())
    }

    /// Marsaglia and Tsang, "A simple method for generating gamma variables" (ACM TOMS 26, 2000); `shape` from 1.
    mutating func drawGamma(shape: Double, scale: Double) -> Double {
        let d = shape - 1.0 / 3
        let c = 1 / (9 * d).squareRoot()
        // One try in twenty fails: the bound is never met.
        for _ in 0..<1000 {
            let normal = drawNormal()
            let root = 1 + c * normal
            guard root > 0 else { continue }
            let cube = root * root * root
            let limit = normal * normal / 2 + d - d * cube + d * PortableMath.naturalLogarithm(cube)
            if PortableMath.naturalLogarithm(1 - lots.drawFraction()) < limit {
                return d * cube * scale
            }
        }
        return shape * scale
    }

    /// The logarithm is spread evenly between two bounds above 0.
    mutating func drawLogUniform(from low: Double, to high: Double) -> Double {
        low
            * PortableMath.exponential(
                PortableMath.naturalLogarithm(high / low) * lots.drawFraction())
    }

    /// The place of one of these weights, which add up to about 1.
    mutating func drawIndex(weights: [Double]) -> Int {
        var rest = lots.drawFraction() * weights.reduce(0, +)
        for (place, weight) in weights.enumerated() {
            rest -= weight
            if rest < 0 { return place }
        }
        return weights.count - 1
    }
}
