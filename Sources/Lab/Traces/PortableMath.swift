// Exponential, logarithm, cosine and the normal distribution from additions, multiplications, divisions and square roots
// alone. IEEE 754 rounds those the same everywhere; a C library's `exp` and `log` differ in their last digit from one
// to the next, and one digit is enough for another workload. (The compiler never fuses a product and a sum on its own.)

package enum PortableMath {
    private static let ln2High = 0x1.62e42feep-1
    private static let ln2Low = 0x1.a39ef35793c76p-33

    /// Reduced to |r| <= ln 2 / 2, then Taylor's series up to r^13: the rest is below 2^-57.
    package static func exponential(_ x: Double) -> Double {
        guard x < 709 else { return .infinity }
        guard x > -708 else { return 0 }
        let power = (x / (ln2High + ln2Low)).rounded()
        let rest = (x - power * ln2High) - power * ln2Low
        var sum = 1.0
        for divisor in stride(from: 13.0, through: 1, by: -1) { sum = 1 + rest / divisor * sum }
        return Double(sign: .plus, exponent: Int(power), significand: sum)
    }

    /// Of a number above 0: 2 artanh((m - 1) / (m + 1)) of the mantissa between 0.7 and 1.4, up to the 23rd power.
    package static func naturalLogarithm(_ x: Double) -> Double {
        var mantissa = x.significand
        var power = Double(x.exponent)
        if mantissa > 1.4142135623730951 {
            mantissa /= 2
            power += 1
        }
        let ratio = (mantissa - 1) / (mantissa + 1)
        let square = ratio * ratio
        var sum = 0.0
        for divisor in stride(from: 23.0, through: 1, by: -2) { sum = sum * square + 1 / divisor }
        return 2 * ratio * sum + power * ln2Low + power * ln2High
    }

    /// Of a whole number of turns and a part: reduced to an eighth of a turn, then Taylor's series.
    package static func cosine(turns: Double) -> Double {
        let part = abs(turns - turns.rounded())
        if part > 0.25 { return -cosine(turns: 0.5 - part) }
        // cos 2a = 2 cos² a - 1 keeps the series short.
        let angle = part * .pi
        let square = angle * angle
        var sum = 1.0
        for step in stride(from: 18.0, through: 2, by: -2) {
            sum = 1 - square / (step * (step - 1)) * sum
        }
        return 2 * sum * sum - 1
    }

    /// Where the standard normal distribution reaches a share between 0 and 1.
    ///
    /// P. J. Acklam, "An algorithm for computing the inverse normal cumulative distribution function" (2003): relative
    /// error below 1.15e-9.
    package static func normalQuantile(ofShare share: Double) -> Double {
        let tail = 0.02425
        if share < tail { return normalTail(ofShare: share) }
        if share > 1 - tail { return -normalTail(ofShare: 1 - share) }
        let middle = share - 0.5
        let square = middle * middle
        return middle * evaluatePolynomial(coefficients: middleTop, at: square)
            / (evaluatePolynomial(coefficients: middleBottom, at: square) * square + 1)
    }

    private static func normalTail(ofShare share: Double) -> Double {
        let root = (-2 * naturalLogarithm(max(share, 0x1p-60))).squareRoot()
        return evaluatePolynomial(coefficients: tailTop, at: root)
            / (evaluatePolynomial(coefficients: tailBottom, at: root) * root + 1)
    }

    /// The share of the standard normal distribution below a value: Abramowitz and Stegun 26.2.17, error below 7.5e-8.
    package static func normalShare(below value: Double) -> Double {
        guard value >= 0 else { return 1 - normalShare(below: -value) }
        let step = 1 / (1 + 0.2316419 * value)
        let density = exponential(-value * value / 2) * 0.3989422804014327
        return 1 - density * step * evaluatePolynomial(coefficients: shareTerms, at: step)
    }

    /// The first coefficient is that of the highest power.
    private static func evaluatePolynomial(coefficients: [Double], at x: Double) -> Double {
        coefficients.reduce(0) { $0 * x + $1 }
    }

    private static let middleTop = [
        -3.969683028665376e+01, 2.209460984245205e+02, -2.759285104469687e+02,
        1.383577518672690e+02, -3.066479806614716e+01, 2.506628277459239e+00,
    ]
    private static let middleBottom = [
        -5.447609879822406e+01, 1.615858368580409e+02, -1.556989798598866e+02,
        6.680131188771972e+01, -1.328068155288572e+01,
    ]
    private static let tailTop = [
        -7.784894002430293e-03, -3.223964580411365e-01, -2.400758277161838e+00,
        -2.549732539343734e+00, 4.374664141464968e+00, 2.938163982698783e+00,
    ]
    private static let tailBottom = [
        7.784695709041462e-03, 3.224671290700398e-01, 2.445134137142996e+00,
        3.754408661907416e+00,
    ]
    private static let shareTerms = [
        1.330274429, -1.821255978, 1.781477937, -0.356563782, 0.319381530,
    ]
}
