// What is said about a figure over several seeds.

/// Mean and spread of one figure over the seeds.
package struct Spread: Hashable, Sendable {
    package var count: Int
    package var mean: Double
    /// Of the sample: divided by count - 1; 0 for a single value.
    package var standardDeviation: Double
    package var min: Double
    package var max: Double

    /// Nil when there is no value.
    package init?(_ values: [Double]) {
        guard let first = values.first else { return nil }
        count = values.count
        // Distances from the first: equal values have exactly themselves as their mean, and no spread.
        let offset = values.reduce(0) { $0 + ($1 - first) } / Double(values.count)
        let mean = first + offset
        self.mean = mean
        let squares = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
        standardDeviation =
            values.count > 1 ? (squares / Double(values.count - 1)).squareRoot() : 0
        min = values.reduce(first, Swift.min)
        max = values.reduce(first, Swift.max)
    }
}

/// How far a policy is from the baseline: of each seed's difference, since both meet the same workload there.
package struct PairedDifference: Hashable, Sendable {
    package static let confidence = 0.95

    package var mean: Double
    /// The confidence interval of the mean (Student's t); nil for a single seed.
    package var interval: ClosedRange<Double>?

    /// - Parameters: values of the same seeds in the same order; nil when there are none.
    package init?(of values: [Double], from baseline: [Double]) {
        precondition(values.count == baseline.count, "differences are of pairs")
        guard let spread = Spread(zip(values, baseline).map { $0 - $1 }) else { return nil }
        mean = spread.mean
        guard spread.count > 1 else { return }
        let t = StudentT.criticalValue(probability: Self.confidence, freedom: spread.count - 1)
        let half = t * spread.standardDeviation / Double(spread.count).squareRoot()
        interval = (mean - half)...(mean + half)
    }

    /// Whether the interval leaves no difference out.
    package var isClear: Bool { interval.map { !$0.contains(0) } ?? false }
}
