// When a host is overloaded: by its demand now, or by a forecast from its last loads.
//
// A host's load history is the sum, over the VMs that it holds now, of what each used at the last rounds, as shares of
// the host's CPU: newest first, cut after its last point that is not zero. The robust form of local regression gives
// the plain one's results: the released code applies loess weights only where at least 40 % of them are zero, and its
// weights never are, so both fit an unweighted line.

package struct OverloadTest: Sendable {
    /// Points of history that a VM keeps, one a round.
    package static let pointsMax = 30
    /// With fewer points than a test needs, the host's demand is held against this share of its capacity.
    static let fallbackShare = 0.7
    private static let statisticPoints = 12
    private static let linePoints = 10

    let detection: PlanetLabPolicy.Detection

    var needsHistory: Bool {
        if case .threshold = detection { false } else { true }
    }

    /// - Parameters:
    ///   - demand: of all VMs, as a share of the host's capacity.
    ///   - loads: the history, `pointsMax` entries. It may come back in another order.
    package func isOverloaded(demand: Double, loads: inout [Double]) -> Bool {
        switch detection {
        case .threshold(let share): return demand > share
        case .interquartileRange(let safety):
            let count = Self.historyLength(of: loads)
            guard count >= Self.statisticPoints else { return demand > Self.fallbackShare }
            return demand > 1 - safety * Self.interquartileRange(of: &loads, count: count)
        case .medianAbsoluteDeviation(let safety):
            let count = Self.historyLength(of: loads)
            guard count >= Self.statisticPoints else { return demand > Self.fallbackShare }
            return demand > 1 - safety * Self.medianAbsoluteDeviation(of: &loads, count: count)
        case .localRegression(let safety):
            guard Self.historyLength(of: loads) >= Self.linePoints else {
                return demand > Self.fallbackShare
            }
            return Self.forecastLoad(newestFirst: loads) * safety >= 1
        }
    }

    private static func historyLength(of loads: [Double]) -> Int {
        var count = loads.count
        while count > 0, loads[count - 1] == 0 { count -= 1 }
        return count
    }

    /// Elements round(0.25 (n + 1)) and round(0.75 (n + 1)) of the sorted history, counted from 1.
    private static func interquartileRange(of loads: inout [Double], count: Int) -> Double {
        sortPrefix(of: &loads, count: count)
        let first = (Double(count + 1) * 0.25 + 0.5).rounded(.down)
        let third = (Double(count + 1) * 0.75 + 0.5).rounded(.down)
        return loads[Int(third) - 1] - loads[Int(first) - 1]
    }

    private static func medianAbsoluteDeviation(of loads: inout [Double], count: Int) -> Double {
        sortPrefix(of: &loads, count: count)
        let median = medianValue(ofSorted: loads, count: count)
        for point in 0..<count { loads[point] = abs(median - loads[point]) }
        sortPrefix(of: &loads, count: count)
        return Self.medianValue(ofSorted: loads, count: count)
    }

    /// Percentile 50 of commons-math: between the middle two where the count is even.
    private static func medianValue(ofSorted sorted: [Double], count: Int) -> Double {
        let lower = sorted[(count + 1) / 2 - 1]
        return count % 2 == 1 ? lower : lower + 0.5 * (sorted[count / 2] - lower)
    }

    /// Insertion sort of the first `count`: they are few, and nearly sorted where a median was taken before.
    private static func sortPrefix(of values: inout [Double], count: Int) {
        for next in 1..<count {
            let value = values[next]
            var place = next
            while place > 0, values[place - 1] > value {
                values[place] = values[place - 1]
                place -= 1
            }
            values[place] = value
        }
    }

    /// The line through the last ten loads at x = 1 ... 10, continued by the rounds that a migration takes: one, since
    /// no type of VM needs longer. Means and sums are updated point by point, as commons-math does it.
    private static func forecastLoad(newestFirst: [Double]) -> Double {
        var (meanX, meanY) = (1.0, newestFirst[linePoints - 1])
        var (sumX, sumY) = (meanX, meanY)
        var (squares, products) = (0.0, 0.0)
        for point in 2...linePoints {
            let (x, y) = (Double(point), newestFirst[linePoints - point])
            let weight = Double(point - 1) / Double(point)
            let (dx, dy) = (x - meanX, y - meanY)
            squares += dx * dx * weight
            products += dx * dy * weight
            meanX += dx / Double(point)
            meanY += dy / Double(point)
            sumX += x
            sumY += y
        }
        let slope = products / squares
        let intercept = (sumY - slope * sumX) / Double(linePoints)
        return intercept + slope * Double(linePoints + 1)
    }
}
