// A histogram of Prometheus's text format, and its quantiles.

struct Histogram {
    /// Upper bounds with how many were at or below each, ascending.
    private var buckets: [(bound: Double, count: Double)] = []

    /// Adds up all series of this name. Nil when the text has none.
    init?(named name: String, metrics text: String) {
        var counts: [Double: Double] = [:]
        for line in text.split(separator: "\n") where line.hasPrefix("\(name)_bucket{") {
            guard let bound = Self.parseBound(from: line),
                let count = line.split(separator: " ").last.flatMap({ Double($0) })
            else { continue }
            counts[bound, default: 0] += count
        }
        guard !counts.isEmpty else { return nil }
        buckets = counts.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
    }

    private static func parseBound(from line: Substring) -> Double? {
        guard let start = line.firstMatchRange(for: "le=\"")?.upperBound else { return nil }
        let text = line[start...].prefix { $0 != "\"" }
        return text == "+Inf" ? .infinity : Double(text)
    }

    /// Within a bucket all values are taken to be spread evenly. Nil when nothing was counted.
    func estimateQuantile(at share: Double) -> Double? {
        guard let total = buckets.last?.count, total > 0 else { return nil }
        let wanted = share * total
        var lower = (bound: 0.0, count: 0.0)
        for bucket in buckets {
            if bucket.count >= wanted {
                guard bucket.bound.isFinite, bucket.count > lower.count else { return lower.bound }
                let part = (wanted - lower.count) / (bucket.count - lower.count)
                return lower.bound + (bucket.bound - lower.bound) * part
            }
            lower = bucket
        }
        return lower.bound
    }
}

extension StringProtocol {
    fileprivate func firstMatchRange(for text: String) -> Range<Index>? {
        self.ranges(of: text).first
    }
}
