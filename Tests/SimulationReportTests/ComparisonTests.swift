// Figures of a comparison in its table, its JSON and its CSV.

import Foundation
import Simulation
import SimulationReport
import Testing

@Suite("Comparison of policies")
struct ComparisonTests {
    private let sweep = Sweep.sample()
    private var comparison: Comparison {
        Comparison(sweep: sweep, results: RunResult.samples(sweep))
    }

    private func object(_ text: String) throws -> [String: Any] {
        let value = try JSONSerialization.jsonObject(with: Data(text.utf8))
        return try #require(value as? [String: Any])
    }

    private func figures(_ text: String, policy: Int) throws -> [String: [String: Any]] {
        let variants = try #require(try object(text)["variants"] as? [[String: Any]])
        let policies = try #require(variants[0]["policies"] as? [[String: Any]])
        return try #require(policies[policy]["figures"] as? [String: [String: Any]])
    }

    @Test func `JSON has every figure of every policy with spread, bound and difference`() throws {
        let text = comparison.json.text
        let best = try figures(text, policy: 0)
        let worst = try figures(text, policy: 1)
        #expect(Set(best.keys) == Set(Figure.all.map(\.key)))
        // Energy of best-fit: 91.5, 92.5, 93.5; of worst-fit: 97.5, 98.5, 99.5.
        #expect(best["energyKWh"]?["mean"] as? Double == 92.5)
        #expect(best["energyKWh"]?["standardDeviation"] as? Double == 1)
        #expect(best["energyKWh"]?["bound"] as? Double == 70.25)
        #expect(best["energyKWh"]?["difference"] is NSNull)
        let difference = try #require(worst["energyKWh"]?["difference"] as? [String: Double])
        #expect(difference == ["mean": 6, "low": 6, "high": 6])
        #expect(worst["energyKWh"]?["values"] as? [Double] == [97.5, 98.5, 99.5])
        // No VM moved: a percentile of nothing is nothing.
        #expect(best["downtimeP99Ms"]?["mean"] is NSNull)
        #expect(worst["downtimeP99Ms"]?["mean"] as? Double == 200)
    }

    @Test func `CSV has a row for each figure of each policy`() throws {
        let lines = comparison.csv.split(separator: "\n").map(String.init)
        #expect(lines.count == 1 + 2 * Figure.all.count)
        #expect(
            lines[0]
                == "variant,policy,figure,unit,runs,mean,standard_deviation,min,max,bound,difference,difference_low,difference_high"
        )
        #expect(lines.contains(",best-fit,energyKWh,kWh,3,92.5,1.0,91.5,93.5,70.25,,,"))
        #expect(lines.contains(",worst-fit,energyKWh,kWh,3,98.5,1.0,97.5,99.5,70.25,6.0,6.0,6.0"))
    }

    @Test func `The table shows means with their bounds, and says which differences are clear`()
        throws
    {
        let rows = comparison.resultTable(variant: 0).sections.flatMap(\.rows)
        let energy = try #require(rows.first { $0.key == "energyKWh" })
        #expect(energy.entries.map(\.value) == ["92.50", "98.50"])
        #expect(energy.entries.map(\.spread) == ["± 1.00", "± 1.00"])
        #expect(energy.entries.map(\.bound) == ["70.25", "70.25"])
        // All noughts: left out.
        #expect(!rows.contains { $0.key == "sleeps" })
        let differences = try #require(comparison.differenceTable(variant: 0))
        #expect(differences.columns == ["worst-fit"])
        let found = Dictionary(
            uniqueKeysWithValues: differences.sections.flatMap(\.rows).map {
                ($0.key, $0.entries[0])
            })
        #expect(found["energyKWh"]?.value == "+6.00")
        #expect(found["energyKWh"]?.spread == "[+6.00, +6.00]")
        #expect(found["energyKWh"]?.tone == .worse)
        #expect(found["placed"]?.tone == .worse)
    }

    @Test func `One policy has no differences, and one seed no interval`() throws {
        let single = Sweep.sample(policies: ["best-fit"])
        #expect(
            Comparison(sweep: single, results: RunResult.samples(single)).differenceTable(
                variant: 0) == nil)
        let seed = Sweep.sample(seeds: [5])
        let comparison = Comparison(sweep: seed, results: RunResult.samples(seed))
        let entry = comparison.differenceTable(variant: 0)?.sections[0].rows[0].entries[0]
        #expect(entry?.spread.isEmpty == true && entry?.tone == .plain)
        #expect(comparison.notes.contains { $0.hasPrefix("One seed:") })
    }

    @Test func `Seeds that change nothing are no evidence, and that is said`() {
        let results = (0..<sweep.cellCount).map { index -> RunResult in
            var cell = sweep.gridCell(at: index)
            cell.seed = 0
            return .sample(sweep, sweep.cellIndex(of: cell))
        }
        let words = "Every seed gave the same figures"
        #expect(Comparison(sweep: sweep, results: results).notes.contains { $0.hasPrefix(words) })
        #expect(!comparison.notes.contains { $0.hasPrefix(words) })
    }

    @Test func `A result that is better than its bound is told as the bug that it is`() {
        var results = RunResult.samples(sweep)
        results[4].energyKWh = Bounded(70, bound: 70.25)
        let notes = Comparison(sweep: sweep, results: results).notes
        #expect(notes.contains { $0.hasPrefix("worst-fit, seed 2: Energy is 70.0, below") })
        #expect(!comparison.notes.contains { $0.contains("below the bound") })
    }

    @Test func `Figures have different keys, and JSON is the same each time`() {
        #expect(Set(Figure.all.map(\.key)).count == Figure.all.count)
        #expect(comparison.json.text == comparison.json.text)
        #expect(!comparison.json.text.contains("nan"))
    }
}
