// How long VMs live, learnt from those that lived: a life table for all of them, and one for each sort.
//
// Ages are told apart by doubling intervals: below a minute, to 2 minutes, to 4, … For each interval a table counts the
// VMs that came into it, that outlived it and that ended in it. The share that ends in an interval is the actuarial
// estimate (Cutler and Ederer 1958): those who are still in it count half, so that VMs that still run are not forgotten,
// which would make all lives look short:
//
//   at risk = entered − (entered − outlived − ended) / 2        share = ended / at risk
//
// A sort of which little is known leans on the sort above it, as if some VMs more had been seen that lived like those
// (m-estimate; Cestnik 1990). The topmost leans on a law: a VM lives as long again as it has lived (Pareto, α = 2).
// The expected lifetime of a VM of a certain age is the mean over those that got so old: it grows as the VM ages. The
// mean is one of logarithms, as the cost of a wrong forecast is: a few lives of weeks do not make minutes look like hours.

/// What is known about VMs of different sorts, from the past alone.
package struct LifetimeModel: Sendable {
    /// A table's number.
    package typealias Sort = Int
    /// All VMs.
    package static let all: Sort = 0

    private struct Interval: Sendable {
        var entered: Int32 = 0
        var outlived: Int32 = 0
        var ended: Int32 = 0
        /// Sum over the logarithms of the lifetimes that ended.
        var logarithms = 0.0

        var atRisk: Double { Double(Int(entered) + Int(outlived) + Int(ended)) / 2 }
    }

    private static let shortest = 60
    static let intervals = 26
    /// VMs that count as seen in the topmost table, and in one below another.
    private static let assumedByLaw = 1.0
    private static let assumedByParent = 8.0
    /// Of those that reach an interval, by the law: three in four do not reach twice its beginning.
    private static let shareByLaw = 0.75

    private var table: [Interval]
    private var parents: [Sort] = [LifetimeModel.all]

    package init() { table = Array(repeating: Interval(), count: Self.intervals) }

    package var sorts: Int { parents.count }

    /// A new sort whose VMs are all of `parent` too; nil when there are too many.
    package mutating func addLifetimeSort(under parent: Sort) -> Sort? {
        guard parents.count < Limits.lifetimeSortsMax else { return nil }
        parents.append(parent)
        table += Array(repeating: Interval(), count: Self.intervals)
        return parents.count - 1
    }

    static func intervalIndex(ofAge age: Int) -> Int {
        let minutes = max(0, age) / shortest
        return min(intervals - 1, Int.bitWidth - minutes.leadingZeroBitCount)
    }

    /// The age at which an interval begins.
    static func startingAge(ofInterval interval: Int) -> Int {
        interval == 0 ? 0 : shortest << (interval - 1)
    }

    // MARK: What happened

    mutating func recordEntry(interval: Int, of sort: Sort) {
        updateTables(of: sort, interval: interval) { $0.entered += 1 }
    }

    mutating func recordSurvival(interval: Int, of sort: Sort) {
        updateTables(of: sort, interval: interval) { $0.outlived += 1 }
    }

    mutating func recordEnding(interval: Int, of sort: Sort, after seconds: Int) {
        updateTables(of: sort, interval: interval) {
            $0.ended += 1
            $0.logarithms += binaryLogarithm(Double(max(1, seconds)))
        }
    }

    /// A VM was counted that never ran.
    mutating func retractEntry(interval: Int, of sort: Sort) {
        updateTables(of: sort, interval: interval) { $0.entered -= 1 }
    }

    private mutating func updateTables(
        of sort: Sort, interval: Int, change: (inout Interval) -> Void
    ) {
        var sort = sort
        while true {
            change(&table[sort * Self.intervals + interval])
            if sort == Self.all { return }
            sort = parents[sort]
        }
    }

    // MARK: What is expected

    /// The whole lifetime, in seconds, that is expected of a VM that has reached an interval.
    func expectedLifetime(of sort: Sort, from reached: Int) -> Int {
        // Backwards: ends here with the interval's mean, or goes on to what is expected from the next one on.
        var expected = binaryLogarithm(Double(Self.startingAge(ofInterval: Self.intervals)))
        for interval in stride(from: Self.intervals - 1, through: reached, by: -1) {
            let (share, mean) = intervalEstimate(of: sort, interval: interval)
            expected = share * mean + (1 - share) * expected
        }
        return Int(powerOfTwo(exponent: expected))
    }

    /// The share that ends in an interval of those that reach it, and the mean logarithm of their lifetimes.
    private func intervalEstimate(of sort: Sort, interval: Int) -> (share: Double, mean: Double) {
        let isTop = sort == Self.all
        let (share, mean) =
            isTop
            ? Self.priorEstimate(interval: interval)
            : intervalEstimate(of: parents[sort], interval: interval)
        let weight = isTop ? Self.assumedByLaw : Self.assumedByParent
        let seen = table[sort * Self.intervals + interval]
        let ended = Double(seen.ended)
        return (
            min(1, (ended + weight * share) / (seen.atRisk + weight)),
            (seen.logarithms + weight * mean) / (ended + weight)
        )
    }

    /// What is assumed before anything is known.
    private static func priorEstimate(interval: Int) -> (share: Double, mean: Double) {
        let middle =
            Double(startingAge(ofInterval: interval) + startingAge(ofInterval: interval + 1)) / 2
        return (shareByLaw, binaryLogarithm(middle))
    }
}

/// Exact at powers of two and linear between them: off by less than 0.09, and the same on every machine.
private func binaryLogarithm(_ value: Double) -> Double {
    Double(value.exponent) + value.significand - 1
}

/// The inverse of `binaryLogarithm`.
private func powerOfTwo(exponent logarithm: Double) -> Double {
    let whole = logarithm.rounded(.down)
    return Double(sign: .plus, exponent: Int(whole), significand: 1 + logarithm - whole)
}
