// A page that stands alone: its style, its data and its script are in it, and its policy forbids it to fetch anything.

/// Text with its markup; what comes from outside goes through `escaped` first.
struct HTML: Hashable, Sendable {
    var text: String

    init(_ text: String) { self.text = text }

    /// Safe between tags and inside quoted attributes.
    static func escapedText(_ text: String) -> String {
        var result = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": result += "&amp;"
            case "<": result += "&lt;"
            case ">": result += "&gt;"
            case "\"": result += "&quot;"
            case "'": result += "&#39;"
            // Neither XML nor HTML has them; a trace may.
            case _ where scalar.value < 0x20 && scalar != "\n" && scalar != "\t":
                result += "\u{FFFD}"
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }
}

struct HTMLPage {
    var title: String
    var lead: String
    var facts: [Setting]
    /// Of the page's main part, in order.
    var sections: [HTML]
    /// For the script, which is left out without it.
    var data: JSONText?

    var text: String {
        """
        <!doctype html>
        <html lang="en">
        <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'">
        <title>\(HTML.escapedText(title))</title>
        <style>
        \(Self.resourceText(bytes: PackageResources.report_css))</style>
        </head>
        <body>
        <header>
        <h1>\(HTML.escapedText(title))</h1>
        <p class="lead">\(HTML.escapedText(lead))</p>
        \(factList)
        </header>
        <main>
        \(sections.map(\.text).joined(separator: "\n"))
        </main>
        <footer>Made by <code>ferry simulate</code>. The page needs no network; its data is in it.</footer>
        \(script)</body>
        </html>

        """
    }

    private var factList: String {
        let items = facts.map {
            "<div><dt>\(HTML.escapedText($0.name))</dt><dd>\(HTML.escapedText($0.value))</dd></div>"
        }
        return "<dl class=\"facts\">\n\(items.joined(separator: "\n"))\n</dl>"
    }

    private var script: String {
        guard let data else { return "" }
        return """
            <script type="application/json" id="data">
            \(data.text)</script>
            <script>
            \(Self.resourceText(bytes: PackageResources.report_js))</script>

            """
    }

    private static func resourceText(bytes: [UInt8]) -> String {
        String(decoding: bytes, as: UTF8.self)
    }
}

// Parts of pages

extension HTML {
    static func sectionMarkup(heading: String, id: String = "", parts: HTML...) -> HTML {
        let name = id.isEmpty ? "" : " id=\"\(id)\""
        return HTML(
            "<section\(name)>\n<h2>\(escapedText(heading))</h2>\n"
                + parts.map(\.text).joined(separator: "\n") + "\n</section>")
    }

    static func bulletListMarkup(items: [String]) -> HTML {
        HTML(
            "<ul class=\"notes\">\n"
                + items.map { "<li>\(escapedText($0))</li>" }.joined(separator: "\n") + "\n</ul>")
    }

    static func definitionListMarkup(of items: [Setting]) -> HTML {
        let lines = items.map {
            "<dt>\(escapedText($0.name))</dt><dd>\(escapedText($0.value))</dd>"
        }
        return HTML("<dl class=\"meanings\">\n\(lines.joined(separator: "\n"))\n</dl>")
    }

    /// - Parameter id: of the table, for programs that read the page: entries carry column and figure beside it.
    static func tableMarkup(for table: ReportTable, id: String) -> HTML {
        let head = table.columns.map { "<th scope=\"col\">\(escapedText($0))</th>" }.joined()
        let body = table.sections.map { section in
            let heading =
                "<tr class=\"group\"><th scope=\"rowgroup\" colspan=\"\(table.columns.count + 1)\">\(escapedText(section.title))</th></tr>"
            let rows = section.rows.map { tableRowMarkup(for: $0, columns: table.columns) }
            return "<tbody>\n" + ([heading] + rows).joined(separator: "\n") + "\n</tbody>"
        }
        return HTML(
            """
            <div class="scroll" tabindex="0" role="region" aria-label="\(escapedText(table.title))">
            <table id="\(escapedText(id))">
            <caption>\(escapedText(table.caption))</caption>
            <thead><tr><th scope="col">Figure</th>\(head)</tr></thead>
            \(body.joined(separator: "\n"))
            </table>
            </div>
            """)
    }

    private static func tableRowMarkup(for row: ReportTable.Row, columns: [String]) -> String {
        let unit = row.unit.isEmpty ? "" : " <span class=\"unit\">\(escapedText(row.unit))</span>"
        let cells = zip(columns, row.entries).map { column, entry in
            let style =
                switch entry.tone {
                case .plain: ""
                case .better: " class=\"better\""
                case .worse: " class=\"worse\""
                }
            let extras = [entry.spread, entry.bound.isEmpty ? "" : "bound \(entry.bound)"]
                .filter { !$0.isEmpty }.map { "<small>\(escapedText($0))</small>" }.joined()
            return
                "<td\(style) data-column=\"\(escapedText(column))\" data-figure=\"\(escapedText(row.key))\"><strong>\(escapedText(entry.value))</strong>\(extras)</td>"
        }
        return
            "<tr><th scope=\"row\" title=\"\(escapedText(row.meaning))\">\(escapedText(row.title))\(unit)</th>\(cells.joined())</tr>"
    }
}
