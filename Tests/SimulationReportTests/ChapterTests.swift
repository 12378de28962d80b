// The documentation names every column that reports have.

import Foundation
import SimulationReport
import Testing

@Suite("The chapter on reports")
struct ChapterTests {
    private let text = try? String(
        contentsOf: URL(filePath: #filePath)
            .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
            .appending(path: "Sources/Ferry.docc/Lab/Reports.md"), encoding: .utf8)

    @Test func `Every figure of comparisons and of the experiment has its line with its unit`()
        throws
    {
        let text = try #require(text)
        let figures =
            Figure.all.map { ($0.key, $0.unit) } + ExperimentFigure.all.map { ($0.key, $0.unit) }
        for (key, unit) in figures {
            #expect(text.contains("| `\(key)` | \(unit.isEmpty ? "–" : unit) |"), "\(key)")
        }
    }
}
