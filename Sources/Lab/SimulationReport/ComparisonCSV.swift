// A comparison for spreadsheets and data frames: one row for each figure of each policy of each variant.

extension Comparison {
    package var csv: String {
        var csv = CSVText([
            "variant", "policy", "figure", "unit", "runs", "mean", "standard_deviation", "min",
            "max", "bound", "difference", "difference_low", "difference_high",
        ])
        for (variant, policies) in zip(sweep.variants, summaries) {
            for (policy, summaries) in zip(sweep.policies, policies) {
                for (figure, summary) in zip(Figure.all, summaries) {
                    csv.appendRow(
                        values: [variant, policy.name, figure.key, figure.unit] + summary.csvColumns
                    )
                }
            }
        }
        return csv.text
    }
}

extension FigureSummary {
    fileprivate var csvColumns: [String] {
        [
            "\(spread?.count ?? 0)", CSVText.numberText(for: spread?.mean),
            CSVText.numberText(for: spread?.standardDeviation),
            CSVText.numberText(for: spread?.min),
            CSVText.numberText(for: spread?.max), CSVText.numberText(for: bound),
            CSVText.numberText(for: difference?.mean),
            CSVText.numberText(for: difference?.interval?.lowerBound),
            CSVText.numberText(for: difference?.interval?.upperBound),
        ]
    }
}
