// The functions made of plain arithmetic agree with those of the C library.

import Foundation
import Model
import Testing
import Traces

@Suite("Portable mathematics")
struct PortableMathTests {
    private func points(_ range: ClosedRange<Double>) -> [Double] {
        var lots = SplitMix64(seed: 5)
        let width = range.upperBound - range.lowerBound
        return (0..<2000).map { _ in range.lowerBound + width * lots.drawFraction() }
    }

    @Test func `Exponential and logarithm are right to the last digits`() {
        for x in points(-700...700) {
            #expect(abs(PortableMath.exponential(x) / exp(x) - 1) < 4e-16, "exp(\(x))")
        }
        for x in points(1e-9...10) + points(1...1e12) + points(0.9...1.1) {
            let (own, other) = (PortableMath.naturalLogarithm(x), log(x))
            #expect(abs(own - other) <= 1e-15 * abs(other), "log(\(x))")
        }
        #expect(PortableMath.exponential(0) == 1 && PortableMath.naturalLogarithm(1) == 0)
        #expect(PortableMath.exponential(1000) == .infinity && PortableMath.exponential(-1000) == 0)
    }

    @Test func `A cosine goes round once a turn`() {
        for x in points(-3...3) {
            #expect(abs(PortableMath.cosine(turns: x) - cos(2 * .pi * x)) < 4e-15, "\(x)")
        }
        #expect([0, 0.5, 1].map(PortableMath.cosine) == [1, -1, 1])
    }

    @Test func `The normal distribution and its inverse meet their published errors`() {
        for x in points(-6...6) {
            let share = 0.5 * erfc(-x / 2.squareRoot())
            #expect(abs(PortableMath.normalShare(below: x) - share) < 7.5e-8, "\(x)")
            let back = PortableMath.normalQuantile(ofShare: share)
            #expect(abs(back - x) < 1.2e-9 * max(1, abs(x)), "\(x)")
        }
    }
}
