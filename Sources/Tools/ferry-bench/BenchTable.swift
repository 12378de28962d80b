// Medians, and each contestant as a multiple of Ferry's first.

import Model

/// The bench's result for people.
struct BenchTable {
    let names: [String]
    let results: [String: [Measurement]]

    var text: String {
        let head = tableRow(name: "median", cells: Figure.all.map(\.name) + ["errors"])
        let medians = names.map { name in
            tableRow(
                name: name,
                cells: Figure.all.map { decimalText(for: medianValue(contestant: name, of: $0)) }
                    + ["\(errorCount(contestant: name))"])
        }
        guard let base = names.first else { return head }
        let ratios = names.dropFirst().map { name in
            tableRow(
                name: "\(name) / \(base)",
                cells: Figure.all.map {
                    decimalText(
                        for: medianValue(contestant: name, of: $0)
                            / medianValue(contestant: base, of: $0))
                })
        }
        return
            ([head] + medians + ["", tableRow(name: "ratio", cells: Figure.all.map(\.name))]
            + ratios)
            .joined(separator: "\n")
    }

    private func medianValue(contestant name: String, of figure: Figure) -> Double {
        computeMedian(of: (results[name] ?? []).map(figure.value))
    }

    private func errorCount(contestant name: String) -> Int {
        (results[name] ?? []).reduce(0) { $0 + $1.guestErrors }
    }

    private func tableRow(name: String, cells: [String]) -> String {
        paddedText(name, width: 38) + cells.map { paddedText($0, width: 18) }.joined()
    }

    private func decimalText(for value: Double) -> String {
        value.isFinite ? "\(value.rounded(decimals: 2))" : "-"
    }

    private func paddedText(_ text: String, width: Int) -> String {
        text + String(repeating: " ", count: max(1, width - text.count))
    }
}

extension Measurement {
    /// One line of progress.
    var summary: String {
        Figure.all.map { "\($0.name) \($0.value(self).rounded(decimals: 1))" }
            .joined(separator: ", ") + ", errors \(guestErrors)"
    }
}
