// Spread, paired differences and the t distribution against known values.

import SimulationReport
import Testing

@Suite("Statistics over seeds")
struct StatisticsTests {
    /// Published tables of Student's t, two-sided 95 %, to the digits that they print and further by series.
    @Test(arguments: [
        (1, 12.706204736432095), (2, 4.302652729911275), (3, 3.182446305284263),
        (4, 2.7764451051977987), (5, 2.5705818366147395), (9, 2.2621571628540993),
        (10, 2.2281388519649385), (29, 2.045229642132703), (30, 2.0422724563012373),
        (100, 1.9839715185235518), (1000, 1.9623390808264078),
    ])
    func `Quantiles of Student's t are those of the tables`(_ freedom: Int, _ expected: Double) {
        let quantile = StudentT.criticalValue(probability: 0.95, freedom: freedom)
        #expect(abs(quantile - expected) < 1e-9 * expected)
    }

    @Test func `A quantile and its probability belong together, for even and odd degrees`() {
        for freedom in [1, 2, 3, 6, 7, 50, 51] {
            for probability in [0.1, 0.5, 0.9, 0.99, 0.999] {
                let t = StudentT.criticalValue(probability: probability, freedom: freedom)
                let back = StudentT.probability(within: t, freedom: freedom)
                #expect(abs(back - probability) < 1e-13)
            }
        }
        // Cauchy's distribution: a quarter of it lies above 1.
        #expect(abs(StudentT.probability(within: 1, freedom: 1) - 0.5) < 1e-15)
        #expect(StudentT.probability(within: 0, freedom: 5) == 0)
    }

    @Test func `Mean and standard deviation are those of the sample`() throws {
        let spread = try #require(Spread([2, 4, 4, 4, 5, 5, 7, 9]))
        #expect(spread.mean == 5)
        #expect(abs(spread.standardDeviation - 2.138089935299395) < 1e-15)
        #expect(spread.min == 2 && spread.max == 9 && spread.count == 8)
        #expect(Spread([]) == nil)
    }

    @Test func `Equal values have themselves as their mean and no spread, to the last bit`() throws
    {
        let spread = try #require(Spread([0.1, 0.1, 0.1]))
        #expect(spread.mean == 0.1 && spread.standardDeviation == 0)
    }

    @Test func `A paired difference is that of each seed, with the interval of its mean`() throws {
        // Differences 1, 0, 2, 1, 4: mean 1.6, standard deviation √2.3, t(0.975, 4) = 2.7764.
        let difference = try #require(
            PairedDifference(of: [1, 2, 3, 4, 6], from: [0, 2, 1, 3, 2]))
        let interval = try #require(difference.interval)
        #expect(abs(difference.mean - 1.6) < 1e-12)
        #expect(abs(interval.lowerBound - (1.6 - 1.883073)) < 1e-5)
        #expect(abs(interval.upperBound - (1.6 + 1.883073)) < 1e-5)
        #expect(!difference.isClear)
    }

    @Test func `A constant difference is clear however small, and one seed shows none`() throws {
        let constant = try #require(PairedDifference(of: [3, 5, 9], from: [2, 4, 8]))
        #expect(constant.interval == 1...1 && constant.isClear)
        let single = try #require(PairedDifference(of: [3], from: [1]))
        #expect(single.mean == 2 && single.interval == nil && !single.isClear)
        #expect(PairedDifference(of: [], from: []) == nil)
    }
}
