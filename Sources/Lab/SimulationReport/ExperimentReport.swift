// The published consolidation experiment: policies and modes beside each other, each with its bound, and what each
// mode counts.

package import PlanetLab

package struct ExperimentReport: Sendable {
    /// At least one, with the same modes.
    package let results: [PlanetLabResult]

    package init(_ results: [PlanetLabResult]) {
        precondition(results.contains { !$0.runs.isEmpty }, "something was run")
        self.results = results
    }

    /// A policy in a mode: a column of the table.
    fileprivate struct Column {
        var policy: String
        var figures: PlanetLabFigures

        var name: String { "\(policy), \(figures.mode)" }
    }

    fileprivate var columns: [Column] {
        results.flatMap { result in
            result.runs.map { Column(policy: result.policy, figures: $0) }
        }
    }

    /// What each mode counts and leaves out: its rules, one sentence each.
    package var modes: [(name: String, rules: [String])] {
        results[0].runs.map { ($0.mode, $0.notes) }
    }

    /// What went wrong, if anything did.
    package var notes: [String] { beatenBounds }

    private var beatenBounds: [String] {
        columns.flatMap { column in
            ExperimentFigure.all.compactMap { figure in
                guard let value = figure.value(column.figures),
                    let bound = figure.bound(column.figures), value < bound * (1 - 1e-9)
                else { return nil }
                return
                    "\(column.name): \(figure.title) is \(value), below the bound \(bound). This cannot be: please report it as a bug of Ferry."
            }
        }
    }
}

// The table

extension ExperimentReport {
    package var table: ReportTable {
        let columns = columns
        let rows = ExperimentFigure.all.map { figure in
            ReportTable.Row(
                key: figure.key, title: figure.title, unit: figure.unit, meaning: figure.meaning,
                entries: columns.map { figure.tableEntry(for: $0.figures) })
        }
        return ReportTable(
            title: "Day \(results[0].day)",
            caption:
                "\(results[0].vms) VMs, \(results[0].hosts) hosts, 24 h; below a value what no policy can be below.",
            columns: columns.map(\.name),
            sections: [ReportTable.Section(title: "Published figures and others", rows: rows)])
    }
}

extension ExperimentFigure {
    fileprivate func tableEntry(for figures: PlanetLabFigures) -> ReportTable.Entry {
        guard let value = value(figures) else { return ReportTable.Entry("–") }
        return ReportTable.Entry(
            fixedPointText(for: value, decimals: decimals),
            bound: bound(figures).map { fixedPointText(for: $0, decimals: decimals) } ?? "")
    }
}

// For programs

extension ExperimentReport {
    package static let formatVersion = 1

    /// The published columns as they are printed, for comparison with other tables; then the bounds.
    package var csv: String {
        var csv = CSVText(
            ["day", "policy", "vms"] + PlanetLabFigures.publishedColumns
                + ["mode", "energy_bound_kwh", "energy_bound_with_memory_kwh"])
        for result in results {
            for run in result.runs {
                csv.appendRow(
                    values: [result.day, result.policy, "\(result.vms)"] + run.publishedRow + [
                        run.mode, CSVText.numberText(for: run.energyBoundKWh),
                        CSVText.numberText(for: run.energyBoundWithMemoryKWh),
                    ])
            }
        }
        return csv.text
    }

    package var json: JSONText {
        .object([
            .init("format", .string("ferry-planetlab")),
            .init("version", .integer(Self.formatVersion)),
            .init("day", .string(results[0].day)),
            .init("vms", .integer(results[0].vms)),
            .init("hosts", .integer(results[0].hosts)),
            .init("figures", .array(ExperimentFigure.all.map(\.json))),
            .init("runs", .array(columns.map(\.json))),
            .init("modes", .array(modes.map(Self.ruleModeJSON))),
            .init("notes", .stringArray(notes)),
        ])
    }
}

extension ExperimentReport {
    fileprivate static func ruleModeJSON(for mode: (name: String, rules: [String])) -> JSONText {
        .object([
            .init("name", .string(mode.name)), .init("rules", .stringArray(mode.rules)),
        ])
    }
}

extension ExperimentFigure {
    fileprivate var json: JSONText {
        .object([
            .init("key", .string(key)), .init("title", .string(title)),
            .init("unit", .string(unit)), .init("decimals", .integer(decimals)),
            .init("meaning", .string(meaning)),
        ])
    }
}

extension ExperimentReport.Column {
    fileprivate var json: JSONText {
        let fields = ExperimentFigure.all.map { figure in
            JSONText.Field(
                figure.key,
                .object([
                    .init("value", .optionalNumber(figure.value(figures))),
                    .init("bound", .optionalNumber(figure.bound(figures))),
                ]))
        }
        return .object([
            .init("policy", .string(policy)), .init("mode", .string(figures.mode)),
            .init("figures", .object(fields)),
        ])
    }
}

// The page

extension ExperimentReport {
    package var html: String {
        var sections = [
            HTML("<section class=\"bare\"><div class=\"glance\" id=\"glance\"></div></section>"),
            .sectionMarkup(heading: table.title, parts: .tableMarkup(for: table, id: "results")),
        ]
        sections += modes.map { mode in
            .sectionMarkup(
                heading: "What \(mode.name) counts", id: mode.name,
                parts: .bulletListMarkup(items: mode.rules))
        }
        sections.append(
            .sectionMarkup(
                heading: "What to know", id: "notes",
                parts: .bulletListMarkup(items: Self.standingNotes + notes)))
        sections.append(
            .sectionMarkup(
                heading: "What the figures mean", id: "figures",
                parts: .definitionListMarkup(
                    of: ExperimentFigure.all.map {
                        Setting(
                            $0.title, value: $0.meaning + ($0.unit.isEmpty ? "" : " In \($0.unit).")
                        )
                    })))
        return HTMLPage(
            title: "The PlanetLab experiment, day \(results[0].day)",
            lead:
                "Consolidation by live migration (Beloglazov and Buyya 2012), as CloudSim 3.0.3 runs it and with its costs counted.",
            facts: [
                Setting("policies", value: results.map(\.policy).joined(separator: ", ")),
                Setting("VMs", value: "\(results[0].vms)"),
                Setting("hosts", value: "\(results[0].hosts)"),
                Setting("time", value: "24 h"),
            ], sections: sections, data: json
        ).text
    }

    private static let standingNotes = [
        "The bound serves the same demand at the most efficient point of the most efficient host, with no idle host. Where memory is enforced it also counts the hosts that the VMs' memory fills.",
        "In cloudsim-3.0.3 mode the figures are those that CloudSim 3.0.3 prints for the same day, digit by digit.",
    ]
}
