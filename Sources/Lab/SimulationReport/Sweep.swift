// What is compared: policies under equal seeds, in one or several variants of the hosts. A cell is one run.
//
// Two sweeps with equal values here are the same sweep, on whichever machine: their cells may be put together.

/// A fact about a sweep that belongs to its results: "hosts", "40 of 32 CPUs and 256GiB".
package struct Setting: Hashable, Sendable, Codable {
    package var name: String
    package var value: String

    package init(_ name: String, value: String) {
        self.name = name
        self.value = value
    }
}

package struct Sweep: Hashable, Sendable, Codable {
    package struct Policy: Hashable, Sendable, Codable {
        package var name: String
        package var summary: String

        package init(_ name: String, summary: String) {
            self.name = name
            self.summary = summary
        }
    }

    package var workload: String
    /// Of the workload's content: equal names do not make equal traces. Hexadecimal.
    package var fingerprint: String
    /// The first is the baseline.
    package var policies: [Policy]
    package var seeds: [UInt64]
    /// At least one; the only one of a sweep without variants has an empty name.
    package var variants: [String]
    package var settings: [Setting]

    package init(
        workload: String, fingerprint: String, policies: [Policy], seeds: [UInt64],
        variants: [String] = [""], settings: [Setting] = []
    ) {
        self.workload = workload
        self.fingerprint = fingerprint
        self.policies = policies
        self.seeds = seeds
        self.variants = variants
        self.settings = settings
    }
}

/// One run of a sweep, by its places in the sweep's lists.
package struct Cell: Hashable, Sendable {
    package var variant: Int
    package var policy: Int
    package var seed: Int

    /// Of the first seed alone the course and the heat map are kept: a sweep's memory is that of its figures.
    package var keepsCourse: Bool { seed == 0 }
}

extension Sweep {
    package var cellCount: Int { variants.count * policies.count * seeds.count }

    /// Variants first, then policies, then seeds.
    package func gridCell(at index: Int) -> Cell {
        let (rest, seed) = index.quotientAndRemainder(dividingBy: seeds.count)
        let (variant, policy) = rest.quotientAndRemainder(dividingBy: policies.count)
        return Cell(variant: variant, policy: policy, seed: seed)
    }

    package func cellIndex(of cell: Cell) -> Int {
        (cell.variant * policies.count + cell.policy) * seeds.count + cell.seed
    }

    /// "best-fit, seed 3, 40 hosts"
    package func cellDescription(at index: Int) -> String {
        let cell = gridCell(at: index)
        let variant = variants[cell.variant]
        return "\(policies[cell.policy].name), seed \(seeds[cell.seed])"
            + (variant.isEmpty ? "" : ", \(variant)")
    }
}

/// A part of a sweep's cells: every `count`-th, so that each part has some of every policy.
package struct ShardNumber: Hashable, Sendable, Codable {
    /// From 1.
    package var number: Int
    package var count: Int

    private init(_ number: Int, of count: Int) {
        self.number = number
        self.count = count
    }

    /// "3/8"; nil when it is not that, or not 1 to 8 of at most 10,000.
    package init?(_ text: String) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2, let number = Int(parts[0]), let count = Int(parts[1]),
            (1...Limits.shardsMax).contains(count), (1...count).contains(number)
        else { return nil }
        self.init(number, of: count)
    }

    package func cellIndices(of sweep: Sweep) -> [Int] {
        Array(stride(from: number - 1, to: sweep.cellCount, by: count))
    }
}

extension ShardNumber: CustomStringConvertible {
    package var description: String { "\(number)/\(count)" }
}

/// Why a sweep cannot be.
package enum SweepError: Error, Hashable, Sendable {
    case tooManyCells(Int, limit: Int)
    case twice(String)
}

extension SweepError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .tooManyCells(let count, let limit):
            "\(count) runs are more than \(limit): take fewer policies, seeds or variants"
        case .twice(let name): "\(name) is named twice"
        }
    }
}

extension Sweep {
    /// Throws before anything runs.
    package func validate() throws(SweepError) {
        var count = 1
        for part in [policies.count, seeds.count, variants.count] {
            let (product, overflow) = count.multipliedReportingOverflow(by: part)
            count = overflow ? .max : product
        }
        guard count <= Limits.cellsMax else {
            throw .tooManyCells(count, limit: Limits.cellsMax)
        }
        if let name = Self.firstDuplicate(in: policies.map(\.name)) {
            throw .twice("policy \(name)")
        }
        if let seed = Self.firstDuplicate(in: seeds) { throw .twice("seed \(seed)") }
        if let name = Self.firstDuplicate(in: variants) { throw .twice("variant \(name)") }
    }

    private static func firstDuplicate<Value: Hashable>(in values: [Value]) -> Value? {
        var seen: Set<Value> = []
        return values.first { !seen.insert($0).inserted }
    }
}
