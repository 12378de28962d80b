// A comparison as a page: what was compared, figures beside their bounds, charts, and what to know when reading them.

import Simulation

extension Comparison {
    package var html: String {
        HTMLPage(
            title: title, lead: lead, facts: facts, sections: sections, data: json
        ).text
    }

    private var title: String {
        sweep.policies.count == 1
            ? "\(sweep.policies[0].name) on \(sweep.workload)"
            : "\(sweep.policies.count) policies on \(sweep.workload)"
    }

    private var lead: String {
        let names = sweep.policies.map(\.name).joined(separator: ", ")
        let seeds = sweep.seeds.count == 1 ? "one seed" : "\(sweep.seeds.count) seeds"
        return
            "\(names); \(seeds), \(durationText(seconds: results[0].seconds)) of simulated time each."
    }

    private var facts: [Setting] {
        sweep.settings + [
            Setting(
                "seeds",
                value: sweep.seeds.count > 8
                    ? "\(sweep.seeds[0]) … \(sweep.seeds[sweep.seeds.count - 1]) (\(sweep.seeds.count))"
                    : sweep.seeds.map(String.init).joined(separator: ", "))
        ]
    }

    private var sections: [HTML] {
        var sections = [
            HTML("<section class=\"bare\"><div class=\"glance\" id=\"glance\"></div></section>")
        ]
        if sweep.variants.count > 1 { sections.insert(variantChooser, at: 0) }
        sections.append(
            HTML(
                "<section class=\"bare\"><h2>Over time</h2><div class=\"grid\" id=\"charts\"></div></section>"
            ))
        for variant in sweep.variants.indices {
            let table = resultTable(variant: variant)
            sections.append(
                .sectionMarkup(
                    heading: table.title, parts: .tableMarkup(for: table, id: "results-\(variant)"))
            )
            if let table = differenceTable(variant: variant) {
                sections.append(
                    .sectionMarkup(
                        heading: table.title,
                        parts: .tableMarkup(for: table, id: "differences-\(variant)")))
            }
        }
        return sections + [
            HTML(
                "<section class=\"bare\"><h2>Hosts over time</h2><div id=\"heat-scale\"></div><div class=\"grid\" id=\"heat\"></div></section>"
            ),
            noteSection, meaningSection,
        ]
    }

    private var variantChooser: HTML {
        let options = sweep.variants.enumerated().map {
            "<option value=\"\($0)\">\(HTML.escapedText($1))</option>"
        }
        return HTML(
            "<p><label for=\"variant\">Charts show</label> <select id=\"variant\">\(options.joined())</select></p>"
        )
    }

    private var noteSection: HTML {
        .sectionMarkup(
            heading: "What to know", id: "notes",
            parts: .bulletListMarkup(items: Self.standingNotes + policyNotes + notes))
    }

    private var policyNotes: [String] {
        sweep.policies.map { policy in
            "\(policy.name): \(policy.summary)" + (policy.summary.hasSuffix(".") ? "" : ".")
        }
    }

    private static let standingNotes = [
        "Decisions are made by the placement code that Ferry's controller runs. Live migrations take the rounds, the bytes and the downtime that its migration model predicts for the VM's memory, its dirty rate and the links; CPU beyond what a host has is missing for all VMs on it. Networks beyond the migration links, storage and caches are not modelled.",
        "A bound is what no policy can be below with the same requests. The distance to it is the most that a better policy could gain; how much of it can be gained is not known.",
        "A value is the mean over the seeds, ± the standard deviation. Differences are of the same seed in both policies; in brackets the 95 % confidence interval of their mean (Student's t). Coloured: the interval does not contain 0.",
        "Figures that are 0 for every policy are left out of the tables.",
    ]

    private var meaningSection: HTML {
        .sectionMarkup(
            heading: "What the figures mean", id: "figures",
            parts: .definitionListMarkup(
                of: Figure.all.map {
                    Setting(
                        $0.title, value: $0.meaning + ($0.unit.isEmpty ? "" : " In \($0.unit)."))
                }))
    }
}
