// Tables for people, before anything is decided about how they are drawn: a terminal and a page show the same.

package struct ReportTable: Hashable, Sendable {
    package enum Tone: Hashable, Sendable {
        case plain, better, worse
    }

    package struct Entry: Hashable, Sendable {
        package var value: String
        /// "± 0.3"; empty: nothing to add.
        package var spread = ""
        /// What no policy can be below; empty: no bound is known.
        package var bound = ""
        package var tone = Tone.plain

        package init(_ value: String, spread: String = "", bound: String = "", tone: Tone = .plain)
        {
            self.value = value
            self.spread = spread
            self.bound = bound
            self.tone = tone
        }
    }

    package struct Row: Hashable, Sendable {
        /// For programs that read the page.
        package var key: String
        package var title: String
        package var unit: String
        package var meaning: String
        package var entries: [Entry]

        /// - Parameter unit: left out where the title says it.
        package init(
            key: String, title: String, unit: String, meaning: String, entries: [Entry]
        ) {
            self.key = key
            self.title = title
            let words = title.split(separator: " ").map { $0.filter { $0 != "," } }
            self.unit = words.contains { $0.lowercased() == unit.lowercased() } ? "" : unit
            self.meaning = meaning
            self.entries = entries
        }
    }

    package struct Section: Hashable, Sendable {
        package var title: String
        package var rows: [Row]
    }

    package var title: String
    /// How to read the entries.
    package var caption: String
    package var columns: [String]
    package var sections: [Section]
}

extension Comparison {
    /// Means with their spread, the bound beside each. Rows without anything but noughts are left out.
    package func resultTable(variant: Int) -> ReportTable {
        let caption =
            sweep.seeds.count > 1
            ? "Mean over \(sweep.seeds.count) seeds ± standard deviation; below it what no policy can be below."
            : "Seed \(sweep.seeds[0]); below a value what no policy can be below."
        return makeTable(
            title: tableHeading(title: "Results", variant: variant), caption: caption,
            variant: variant,
            policies: sweep.policies.indices
        ) { figure, summary in
            guard let spread = summary.spread else { return nil }
            return ReportTable.Entry(
                figure.valueText(for: spread.mean),
                spread: figure.spreadText(for: spread, seeds: sweep.seeds.count),
                bound: summary.bound.map(figure.valueText) ?? "")
        }
    }

    /// Differences from the baseline with their intervals; nil when there is nothing to compare.
    package func differenceTable(variant: Int) -> ReportTable? {
        guard sweep.policies.count > 1 else { return nil }
        let title = tableHeading(
            title: "Difference from \(sweep.policies[0].name)", variant: variant)
        let caption =
            sweep.seeds.count > 1
            ? "Mean of each seed's difference [95 % confidence interval]." : "Of one seed."
        let table = makeTable(
            title: title, caption: caption, variant: variant,
            policies: sweep.policies.indices.dropFirst()
        ) { figure, summary in
            summary.difference.map(figure.differenceEntry)
        }
        return table.sections.isEmpty ? nil : table
    }

    private func tableHeading(title: String, variant: Int) -> String {
        let name = sweep.variants[variant]
        return name.isEmpty ? title : "\(title), \(name)"
    }

    private func makeTable(
        title: String, caption: String, variant: Int, policies: some Sequence<Int>,
        entry: (Figure, FigureSummary) -> ReportTable.Entry?
    ) -> ReportTable {
        let policies = Array(policies)
        let sections = Figure.Group.allCases.map { group in
            let figures = Figure.all.indices.filter { Figure.all[$0].group == group }
            let rows = figures.compactMap { place -> ReportTable.Row? in
                let summaries = policies.map { self.summaries[variant][$0][place] }
                let figure = Figure.all[place]
                let entries = summaries.map { entry(figure, $0) }
                guard
                    entries.contains(where: { $0 != nil && $0?.value != figure.valueText(for: 0) })
                else { return nil }
                return ReportTable.Row(
                    key: figure.key, title: figure.title, unit: figure.unit,
                    meaning: figure.meaning, entries: entries.map { $0 ?? ReportTable.Entry("–") })
            }
            return ReportTable.Section(title: group.rawValue, rows: rows)
        }
        return ReportTable(
            title: title, caption: caption, columns: policies.map { sweep.policies[$0].name },
            sections: sections.filter { !$0.rows.isEmpty })
    }
}

extension Figure {
    package func valueText(for value: Double) -> String {
        fixedPointText(for: value, decimals: decimals)
    }

    /// "± 0.31"; where not every seed has the figure, how many do.
    fileprivate func spreadText(for spread: Spread, seeds: Int) -> String {
        let parts = [
            spread.count > 1 ? "± " + valueText(for: spread.standardDeviation) : "",
            spread.count < seeds ? "(\(spread.count) of \(seeds) seeds)" : "",
        ]
        return parts.filter { !$0.isEmpty }.joined(separator: " ")
    }

    /// "-3.20" with "[-4.1, -2.3]"; good and bad only where the interval leaves no difference out.
    fileprivate func differenceEntry(for difference: PairedDifference) -> ReportTable.Entry {
        let interval = difference.interval.map {
            "[\(signedText(for: $0.lowerBound)), \(signedText(for: $0.upperBound))]"
        }
        return ReportTable.Entry(
            signedText(for: difference.mean), spread: interval ?? "",
            tone: differenceTone(for: difference))
    }

    private func signedText(for value: Double) -> String {
        let text = valueText(for: value)
        return text == self.valueText(for: 0) || text.hasPrefix("-") ? text : "+" + text
    }

    private func differenceTone(for difference: PairedDifference) -> ReportTable.Tone {
        guard difference.isClear, better != .neither else { return .plain }
        return (difference.mean < 0) == (better == .lower) ? .better : .worse
    }
}
