// Medians, and each contestant as a multiple of Ferry's first.

import Model

/// The bench's result for people.
struct BenchTable {
    let names: [String]
    let results: [String: [Measurement]]

    var text: String {
        let head = row("median", Figure.all.map(\.name) + ["errors"])
        let medians = names.map { name in
            row(name, Figure.all.map { format(middle(name, $0)) } + ["\(errors(name))"])
        }
        guard let base = names.first else { return head }
        let ratios = names.dropFirst().map { name in
            row(
                "\(name) / \(base)",
                Figure.all.map { format(middle(name, $0) / middle(base, $0)) })
        }
        return ([head] + medians + ["", row("ratio", Figure.all.map(\.name))] + ratios)
            .joined(separator: "\n")
    }

    private func middle(_ name: String, _ figure: Figure) -> Double {
        median((results[name] ?? []).map(figure.value))
    }

    private func errors(_ name: String) -> Int {
        (results[name] ?? []).reduce(0) { $0 + $1.guestErrors }
    }

    private func row(_ name: String, _ cells: [String]) -> String {
        padded(name, 38) + cells.map { padded($0, 18) }.joined()
    }

    private func format(_ value: Double) -> String {
        value.isFinite ? "\(value.rounded(decimals: 2))" : "-"
    }

    private func padded(_ text: String, _ width: Int) -> String {
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
