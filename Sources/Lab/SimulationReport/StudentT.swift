// Quantiles of Student's t distribution, for confidence intervals of small samples.
//
// For whole degrees of freedom the distribution is a finite sum (Abramowitz and Stegun, Handbook of Mathematical
// Functions, 26.7.3 and 26.7.4); the quantile is found by halving. Only square roots and the four basic operations are
// used, which IEEE 754 fixes to the last bit: every machine gives the same digits.

package enum StudentT {
    /// The probability that |T| is at most `t`.
    ///
    /// - Parameter freedom: degrees of freedom, 1 or more.
    package static func probability(within t: Double, freedom: Int) -> Double {
        precondition(freedom >= 1 && t >= 0)
        let n = Double(freedom)
        let hypotenuse = (n + t * t).squareRoot()
        let (sine, cosine) = (t / hypotenuse, n.squareRoot() / hypotenuse)
        if freedom % 2 == 0 {
            return sine * seriesSum(from: 1, to: freedom - 3, cosine: cosine, firstTerm: 1)
        }
        let angle = arcTangent(ratio: t / n.squareRoot())
        let rest =
            freedom == 1
            ? 0 : sine * seriesSum(from: 2, to: freedom - 3, cosine: cosine, firstTerm: cosine)
        return 2 / Double.pi * (angle + rest)
    }

    /// The t within which |T| lies with the given probability.
    ///
    /// - Parameter probability: above 0 and below 1: 0.95 for a 95 % interval.
    package static func criticalValue(probability: Double, freedom: Int) -> Double {
        precondition(probability > 0 && probability < 1)
        var (low, high) = (0.0, 1.0)
        while self.probability(within: high, freedom: freedom) < probability { high *= 2 }
        while true {
            let middle = low + (high - low) / 2
            guard middle > low, middle < high else { return high }
            if self.probability(within: middle, freedom: freedom) < probability {
                low = middle
            } else {
                high = middle
            }
        }
    }

    /// first · (1 + k/(k+1) cos² + k(k+2)/((k+1)(k+3)) cos⁴ + ...), the last factor with `last` above.
    private static func seriesSum(
        from first: Int, to last: Int, cosine: Double, firstTerm term: Double
    ) -> Double {
        var (term, sum) = (term, term)
        for k in stride(from: first, through: last, by: 2) {
            term *= Double(k) / Double(k + 1) * cosine * cosine
            sum += term
        }
        return sum
    }

    /// By halving the angle until the power series needs few terms: the C library's differs between versions.
    private static func arcTangent(ratio x: Double) -> Double {
        var (x, halvings) = (x, 0.0)
        while x > 0.1 {
            x /= 1 + (1 + x * x).squareRoot()
            halvings += 1
        }
        var (power, sum) = (x, 0.0)
        for k in 0..<Limits.arcTangentTerms {
            sum += power / Double(2 * k + 1)
            power *= -x * x
        }
        for _ in 0..<Int(halvings) { sum *= 2 }
        return sum
    }
}
