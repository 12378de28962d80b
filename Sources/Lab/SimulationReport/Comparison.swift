// A sweep's results beside each other: every figure of every policy over the seeds, and how far each policy is from the
// baseline.

package import Simulation

/// One figure of one policy in one variant.
package struct FigureSummary: Hashable, Sendable {
    /// By seed; nil where the run has no such figure.
    package var values: [Double?]
    /// By seed, too: what no policy can be below in that run.
    package var bounds: [Double?]
    /// Nil: no run has the figure.
    package var spread: Spread?
    /// Mean of the bounds.
    package var bound: Double?
    /// From the first policy, over the seeds that both have; nil for the first policy itself.
    package var difference: PairedDifference?
}

package struct Comparison: Sendable {
    package let sweep: Sweep
    /// In the order of the sweep's cells.
    package let results: [RunResult]
    /// By variant, policy and figure, in the orders of the sweep and of `Figure.all`.
    package let summaries: [[[FigureSummary]]]
    /// What to know when reading the figures: of the workload, of the runs, of the comparison.
    package let notes: [String]

    /// - Parameter results: one for each cell, in order.
    package init(sweep: Sweep, results: [RunResult]) {
        precondition(results.count == sweep.cellCount, "a result for each cell")
        self.sweep = sweep
        self.results = results
        let summaries = sweep.variants.indices.map { variant in
            Self.summaries(of: sweep, results: results, variant: variant)
        }
        self.summaries = summaries
        notes = Self.makeNotes(for: sweep, results: results, summaries: summaries)
    }

    package func runResult(variant: Int, policy: Int, seed: Int = 0) -> RunResult {
        results[sweep.cellIndex(of: Cell(variant: variant, policy: policy, seed: seed))]
    }

    private static func summaries(
        of sweep: Sweep, results: [RunResult], variant: Int
    ) -> [[FigureSummary]] {
        let runs = sweep.policies.indices.map { policy in
            sweep.seeds.indices.map { seed in
                results[sweep.cellIndex(of: Cell(variant: variant, policy: policy, seed: seed))]
            }
        }
        return runs.enumerated().map { policy, ofPolicy in
            Figure.all.map { figure in
                FigureSummary(figure, runs: ofPolicy, baseline: policy == 0 ? nil : runs[0])
            }
        }
    }
}

extension FigureSummary {
    fileprivate init(_ figure: Figure, runs: [RunResult], baseline: [RunResult]?) {
        values = runs.map(figure.value)
        bounds = runs.map(figure.bound)
        spread = Spread(values.compactMap { $0 })
        bound = Spread(bounds.compactMap { $0 })?.mean
        guard let baseline else { return }
        let pairs = zip(values, baseline.map(figure.value)).compactMap { value, other in
            value.flatMap { value in other.map { (value, $0) } }
        }
        difference = PairedDifference(of: pairs.map(\.0), from: pairs.map(\.1))
    }
}

// Notes

extension Comparison {
    private static func makeNotes(
        for sweep: Sweep, results: [RunResult], summaries: [[[FigureSummary]]]
    ) -> [String] {
        var seen: Set<String> = []
        var notes = results.flatMap(\.notes).filter { seen.insert($0).inserted }
        if sweep.seeds.count == 1, sweep.policies.count > 1 {
            notes.append(
                "One seed: there is no spread, and no confidence interval of the differences.")
        }
        let vary = summaries.joined().joined().contains { $0.spread?.standardDeviation ?? 0 > 0 }
        if sweep.seeds.count > 1, !vary {
            notes.append(
                "Every seed gave the same figures: intervals without width are of this workload alone."
            )
        }
        return notes + beatenLowerBounds(in: sweep, results: results)
    }

    /// No result can be better than its bound; the tolerance is that of sums in floating point.
    private static func beatenLowerBounds(in sweep: Sweep, results: [RunResult]) -> [String] {
        results.enumerated().flatMap { index, result in
            Figure.all.compactMap { figure in
                guard let value = figure.value(result), let bound = figure.bound(result),
                    value < bound * (1 - 1e-9)
                else { return nil }
                return
                    "\(sweep.cellDescription(at: index)): \(figure.title) is \(value), below the bound \(bound). This cannot be: please report it as a bug of Ferry."
            }
        }
    }
}
