// Counts values in fine bins of a logarithm and makes a `Distribution` of them: memory does not grow with their number.
//
// Percentiles are the upper edge of the bin in which the rank falls, never outside the least and the largest value:
// right to 10^(1/100), 2.4 %.

import Model

struct DistributionCounter {
    private var bins: [Int] = []
    private var count = 0
    private var sum = 0.0
    private var least = Double.infinity
    private var largest = 0.0

    init() {}

    /// A value that is not below 0.
    mutating func addObservation(value: Double) {
        if bins.isEmpty {
            bins = Array(repeating: 0, count: Limits.decades * Limits.binsPerDecade + 1)
        }
        count += 1
        sum += value
        least = min(least, value)
        largest = max(largest, value)
        bins[indexOfBin(for: value)] += 1
    }

    /// Bin 0 holds what is at most `distributionMin`, bin n what is above edge n - 1 and at most edge n.
    private func indexOfBin(for value: Double) -> Int {
        var low = 0
        var high = bins.count - 1
        while low < high {
            let middle = (low + high) / 2
            if value <= Self.edges[middle] { high = middle } else { low = middle + 1 }
        }
        return low
    }

    /// Upper edges, by whole decades and roots multiplied in order: the same on every machine.
    private static let edges: [Double] = {
        // The 100th root of ten by Newton's method, with arithmetic alone.
        var root = 1.0 + 2.302585092994046 / Double(Limits.binsPerDecade)
        for _ in 0..<20 {
            var power = 1.0
            for _ in 1..<Limits.binsPerDecade { power *= root }
            root -= (power * root - 10) / (Double(Limits.binsPerDecade) * power)
        }
        var edges: [Double] = []
        var step = Limits.distributionMin
        for _ in 0..<Limits.decades {
            var edge = step
            for _ in 0..<Limits.binsPerDecade {
                edges.append(edge)
                edge *= root
            }
            step *= 10
        }
        return edges + [step]
    }()

    private func percentile(at share: Double) -> Double {
        var rank = max(1, Int((share * Double(count)).rounded(.up)))
        for (bin, number) in bins.enumerated() {
            rank -= number
            if rank <= 0 { return min(max(Self.edges[bin], least), largest) }
        }
        return largest
    }

    var distribution: Distribution {
        var result = Distribution()
        guard count > 0 else { return result }
        (result.count, result.sum, result.min, result.max) = (count, sum, least, largest)
        result.p50 = percentile(at: 0.5)
        result.p90 = percentile(at: 0.9)
        result.p99 = percentile(at: 0.99)
        let first = bins.firstIndex { $0 > 0 } ?? 0
        let last = bins.lastIndex { $0 > 0 } ?? 0
        let step = Limits.binsPerDecade / Limits.shownBinsPerDecade
        var (edge, from) = ((first + step - 1) / step * step, 0)
        while true {
            let upTo = min(edge, bins.count - 1)
            result.edges.append(Self.edges[upTo])
            result.counts.append(bins[from...upTo].reduce(0, +))
            if upTo >= last { break }
            (from, edge) = (upTo + 1, edge + step)
        }
        result.counts.append(0)
        return result
    }
}
