// A comparison as a terminal shows it.

import ClusterText
import SimulationReport

extension Comparison {
    var text: String {
        var parts = [sweep.text]
        for variant in sweep.variants.indices {
            parts += resultTable(variant: variant).texts
            parts += differenceTable(variant: variant)?.texts ?? []
        }
        if !notes.isEmpty { parts.append(notes.map { "note: \($0)" }.joined(separator: "\n")) }
        return parts.joined(separator: "\n\n")
    }
}

extension Sweep {
    fileprivate var text: String {
        var table = Table("workload", workload)
        for setting in settings { table.addRow(setting.name, setting.value) }
        return table.text
    }
}

extension ReportTable {
    /// Beside each other on a terminal.
    private static let columnsMax = 5

    /// The heading and the table; several when there are too many columns for one.
    var texts: [String] {
        stride(from: 0, to: columns.count, by: Self.columnsMax).map { first in
            let places = first..<min(first + Self.columnsMax, columns.count)
            return "\(title). \(caption)\n" + tableText(columns: places)
        }
    }

    private func tableText(columns places: Range<Int>) -> String {
        var table = Table(headings: ["FIGURE", "UNIT"] + columns[places].map { $0.uppercased() })
        for row in sections.flatMap(\.rows) {
            let entries = row.entries[places]
            table.addRow(cells: [row.title, row.unit] + entries.map(\.text))
            if entries.contains(where: { !$0.bound.isEmpty }) {
                table.addRow(cells: ["  at least", row.unit] + entries.map(\.bound))
            }
        }
        return table.text
    }
}

extension ReportTable.Entry {
    fileprivate var text: String { spread.isEmpty ? value : "\(value) \(spread)" }
}
