// Counts of values by size, as Prometheus counts them.

struct Histogram: Hashable, Sendable {
    /// Upper bounds, ascending; the last bucket has none.
    let bounds: [Double]
    /// One more than bounds; not cumulative.
    private(set) var counts: [UInt64]
    private(set) var sum = 0.0

    init(bounds: [Double]) {
        self.bounds = bounds
        counts = Array(repeating: 0, count: bounds.count + 1)
    }

    mutating func recordSample(value: Double) {
        guard value.isFinite else { return }
        counts[bounds.firstIndex { value <= $0 } ?? bounds.count] += 1
        sum += value
    }

    var count: UInt64 { counts.reduce(0, +) }

    /// How many values were not above each bound; the last is of all.
    var cumulative: [(bound: Double, count: UInt64)] {
        var total: UInt64 = 0
        return zip(bounds + [.infinity], counts).map { bound, count in
            total += count
            return (bound, total)
        }
    }
}
