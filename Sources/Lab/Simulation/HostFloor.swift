// The fewest hosts that any policy could have in use for the VMs that run now, kept up to date as they come and go.
//
// A measure gives each VM a weight w and each host h a capacity W(h), so that no set of VMs that fits on h weighs more
// than W(h). Then at least the k hosts of largest W are needed whose sum first reaches the weight of all VMs. Every
// measure below ignores features, labels and groups (a relaxation: what is left out can only need more hosts), and the
// bound is the largest k of all measures. With A the largest CPU limit of all hosts, B the largest memory limit:
//
// - Volume: w = x, W = limit, for CPU and for memory.
// - Threshold e (Martello and Toth's L2, Fekete and Schepers' U): w = A where x > A - e, x where x >= e, else 0.
//   Of two VMs with weight, one above A - e leaves no room for the other, so a set weighs A or what it asks for.
// - Rounding k (Fekete and Schepers' u): with y = (k+1)x/A, w = y/(k+1) where y is whole, else floor(y)/k. It is
//   superadditive and does not fall, so a set weighs at most what a single VM of the host's size would.
// - Pair (e, d): w = 0 where CPU < e or memory < d; 1 where CPU > A - e or memory > B - d; else a weighted mean of
//   the shares. Of two VMs with weight, one that is large in either dimension leaves no room for the other; without
//   such a one the set weighs at most the weighted mean of two numbers that are at most 1.
//
// Weights are whole numbers, rounded down for VMs and up for hosts: the bound is exact arithmetic.

package import Placement

package struct HostFloor {
    private enum Measure {
        /// Of CPU, else of memory. Volume is the threshold 0.
        case threshold(isCPU: Bool, Int)
        case rounding(isCPU: Bool, Int)
        /// The weights of both shares add up to 2.
        case pair(milliCPUs: Int, memoryBytes: Int, cpuWeight: Int)
    }

    /// Hosts of equal capacity in a measure, after all those of larger capacity.
    private struct Step {
        var capacity: Int
        /// Of this step's hosts and of those before it.
        var hosts: Int
        var sum: Int
    }

    private struct Scale {
        var measure: Measure
        var steps: [Step]
        var weight = 0
        /// The least number of hosts for all weights above `low` and up to `high`.
        var hosts = 0
        var low = -1
        var high = 0
    }

    private let largest: Resources
    private var scales: [Scale] = []
    private var vms = 0
    /// The bound for the VMs that run now.
    package private(set) var hosts = 0

    private static let unit = 1 << 30

    /// - Parameter requests: what may come; thresholds are chosen to suit it.
    package init(limits: [Resources], requests: [VMRequest]) {
        largest = Resources(
            milliCPUs: max(1, limits.map(\.milliCPUs).max() ?? 1),
            memoryBytes: max(1, limits.map(\.memoryBytes).max() ?? 1))
        for measure in usefulMeasures(for: requests) {
            scales.append(
                Scale(measure: measure, steps: capacitySteps(of: measure, limits: limits)))
        }
    }

    package mutating func addRequest(_ request: Resources) { changeCount(of: request, delta: 1) }
    mutating func removeRequest(_ request: Resources) { changeCount(of: request, delta: -1) }

    private mutating func changeCount(of request: Resources, delta count: Int) {
        vms += count
        var most = vms > 0 ? 1 : 0
        let shares = largestShares(of: request)
        for scale in scales.indices {
            scales[scale].weight +=
                count * measuredWeight(of: request, shares: shares, using: scales[scale].measure)
            if scales[scale].weight <= scales[scale].low
                || scales[scale].weight > scales[scale].high
            {
                Self.recountHosts(of: &scales[scale])
            }
            most = max(most, scales[scale].hosts)
        }
        hosts = most
    }

    /// Finds the number of hosts for a weight, and between which weights it stays the same.
    private static func recountHosts(of scale: inout Scale) {
        guard scale.weight > 0 else {
            (scale.hosts, scale.low, scale.high) = (0, -1, 0)
            return
        }
        var (low, high) = (0, scale.steps.count)
        while low < high {
            let middle = (low + high) / 2
            if scale.steps[middle].sum < scale.weight { low = middle + 1 } else { high = middle }
        }
        guard low < scale.steps.count else {
            // A policy that dictates may promise more than there is: all hosts are needed, and they are not enough.
            let all = scale.steps.last ?? Step(capacity: 0, hosts: 0, sum: 0)
            (scale.hosts, scale.low, scale.high) = (all.hosts, all.sum, .max)
            return
        }
        let before = low > 0 ? scale.steps[low - 1] : Step(capacity: 0, hosts: 0, sum: 0)
        let capacity = scale.steps[low].capacity
        let more = (scale.weight - before.sum + capacity - 1) / capacity
        scale.hosts = before.hosts + more
        scale.high = before.sum + more * capacity
        scale.low = scale.high - capacity
    }
}

// MARK: - Weights

extension HostFloor {
    /// Shares of the largest host in `unit`, rounded down.
    private func largestShares(of request: Resources) -> (cpu: Int, memory: Int) {
        (
            Self.scaledShare(part: request.milliCPUs, ofWhole: largest.milliCPUs),
            Self.scaledShare(part: request.memoryBytes, ofWhole: largest.memoryBytes)
        )
    }

    private static func scaledShare(part: Int, ofWhole whole: Int) -> Int {
        let product = min(part, whole).multipliedFullWidth(by: unit)
        return whole.dividingFullWidth(product).quotient
    }

    private func measuredWeight(
        of request: Resources, shares: (cpu: Int, memory: Int), using measure: Measure
    ) -> Int {
        switch measure {
        case .threshold(let isCPU, let threshold):
            let (part, whole) = partOfLargest(of: request, isCPU: isCPU)
            if part > whole - threshold { return whole }
            return part >= threshold ? part : 0
        case .rounding(let isCPU, let count):
            let (part, whole) = partOfLargest(of: request, isCPU: isCPU)
            return Self.roundedDown(part: part, ofWhole: whole, count: count)
        case .pair(let milliCPUs, let memoryBytes, let cpuWeight):
            if request.milliCPUs < milliCPUs || request.memoryBytes < memoryBytes { return 0 }
            if request.milliCPUs > largest.milliCPUs - milliCPUs
                || request.memoryBytes > largest.memoryBytes - memoryBytes
            {
                return 2 * Self.unit
            }
            return cpuWeight * shares.cpu + (2 - cpuWeight) * shares.memory
        }
    }

    /// The most that VMs on a host of this size weigh.
    private func maximumWeight(of limit: Resources, using measure: Measure) -> Int {
        switch measure {
        case .threshold, .rounding:
            return measuredWeight(of: limit, shares: (0, 0), using: measure)
        case .pair(_, _, let cpuWeight):
            // One more in each share than rounded down: rounded up at least.
            let below = largestShares(of: limit)
            let weight = measuredWeight(of: limit, shares: below, using: measure)
            guard weight > 0, weight < 2 * Self.unit else { return weight }
            return cpuWeight * (below.cpu + 1) + (2 - cpuWeight) * (below.memory + 1)
        }
    }

    private func partOfLargest(of resources: Resources, isCPU: Bool) -> (part: Int, whole: Int) {
        isCPU
            ? (resources.milliCPUs, largest.milliCPUs)
            : (resources.memoryBytes, largest.memoryBytes)
    }

    /// The rounding function in units of 1 / (k(k+1)).
    private static func roundedDown(part: Int, ofWhole whole: Int, count: Int) -> Int {
        let (steps, rest) = ((count + 1) * part).quotientAndRemainder(dividingBy: whole)
        return rest == 0 ? count * steps : (count + 1) * steps
    }

    private func capacitySteps(of measure: Measure, limits: [Resources]) -> [Step] {
        var steps: [Step] = []
        for capacity in limits.map({ maximumWeight(of: $0, using: measure) }).sorted(by: >)
        where capacity > 0 {
            let before = steps.last ?? Step(capacity: 0, hosts: 0, sum: 0)
            if before.capacity == capacity { steps.removeLast() }
            steps.append(
                Step(capacity: capacity, hosts: before.hosts + 1, sum: before.sum + capacity))
        }
        return steps
    }
}

// MARK: - Which measures

extension HostFloor {
    private func usefulMeasures(for requests: [VMRequest]) -> [Measure] {
        let cpu = Self.thresholds(
            for: requests.map { Int($0.milliCPUs) }, half: largest.milliCPUs / 2)
        let memory = Self.thresholds(
            for: requests.map { Int($0.memoryBytes) }, half: largest.memoryBytes / 2)
        var measures: [Measure] = []
        for isCPU in [true, false] {
            measures.append(.threshold(isCPU: isCPU, 0))
            for threshold in isCPU ? cpu : memory {
                measures.append(.threshold(isCPU: isCPU, threshold))
            }
            for count in 2...Limits.roundingMax {
                measures.append(.rounding(isCPU: isCPU, count))
            }
        }
        for divisor in 2...4 {
            for cpuWeight in 0...2 {
                measures.append(
                    .pair(
                        milliCPUs: max(1, largest.milliCPUs / divisor),
                        memoryBytes: max(1, largest.memoryBytes / divisor), cpuWeight: cpuWeight))
            }
        }
        return measures
    }

    /// Half of the largest host, and sizes that VMs have, up to that: all when they are few, else some of them, evenly
    /// by how many VMs are smaller.
    private static func thresholds(for sizes: [Int], half: Int) -> [Int] {
        let small = sizes.filter { $0 > 0 && $0 <= half }.sorted()
        var distinct: [Int] = []
        for size in small where size != distinct.last { distinct.append(size) }
        if distinct.count > Limits.thresholdsMax {
            distinct = (1...Limits.thresholdsMax).map {
                small[small.count * $0 / (Limits.thresholdsMax + 1)]
            }
        }
        if half > 0 { distinct.append(half) }
        var chosen: [Int] = []
        for size in distinct where size != chosen.last { chosen.append(size) }
        return chosen
    }
}
