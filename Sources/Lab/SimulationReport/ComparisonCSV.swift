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
                    csv.addRow(
                        [variant, policy.name, figure.key, figure.unit] + summary.csvColumns)
                }
            }
        }
        return csv.text
    }
}

extension FigureSummary {
    fileprivate var csvColumns: [String] {
        [
            "\(spread?.count ?? 0)", CSVText.numberText(spread?.mean),
            CSVText.numberText(spread?.standardDeviation), CSVText.numberText(spread?.min),
            CSVText.numberText(spread?.max), CSVText.numberText(bound),
            CSVText.numberText(difference?.mean),
            CSVText.numberText(difference?.interval?.lowerBound),
            CSVText.numberText(difference?.interval?.upperBound),
        ]
    }
}
