// Tables and numbers as people read them.

import Foundation

/// Columns under headings, as wide as their widest value.
package struct Table {
    private var rows: [[String]]

    package init(_ headings: String...) { self.init(headings: headings) }

    package init(headings: [String]) { rows = [headings] }

    package mutating func addRow(_ values: String...) { addRow(cells: values) }

    package mutating func addRow(cells values: [String]) { rows.append(values) }

    package var text: String { lines.joined(separator: "\n") }

    /// The headings, then the rows.
    package var lines: [String] {
        let columns = rows.map(\.count).max() ?? 0
        let widths = (0..<columns).map { column in
            rows.map { column < $0.count ? $0[column].count : 0 }.max() ?? 0
        }
        return rows.map { row in
            let line = zip(row, widths)
                .map { $0 + String(repeating: " ", count: $1 - $0.count) }
                .joined(separator: "  ")
            return String(line.reversed().drop { $0 == " " }.reversed())
        }
    }
}

/// "1.5 GiB"
package func byteCountText(for bytes: Double) -> String {
    var (value, unit) = (bytes, "B")
    for next in ["KiB", "MiB", "GiB", "TiB"] where value >= 1024 {
        (value, unit) = (value / 1024, next)
    }
    return unit == "B" ? "\(Int(value)) B" : String(format: "%.1f %@", value, unit)
}

package func byteCountText(for bytes: UInt64) -> String { byteCountText(for: Double(bytes)) }

/// "7.3 ms", "1.24 s"
package func durationText(milliseconds ms: Double) -> String {
    ms < 1000 ? String(format: "%.1f ms", ms) : String(format: "%.2f s", ms / 1000)
}

/// "0.8 s", "42 s", "3 min 20 s", "2 h 5 min": for waiting people.
package func timeSpanText(seconds: Double) -> String {
    guard seconds.isFinite, seconds < 1e9 else { return "unknown" }
    if seconds < 10 { return String(format: "%.1f s", max(0, seconds)) }
    let whole = Int(seconds.rounded())
    if whole < 120 { return "\(whole) s" }
    if whole < 7200 { return "\(whole / 60) min \(whole % 60) s" }
    return "\(whole / 3600) h \(whole / 60 % 60) min"
}

/// "0.081": imbalances and scores, without a tail of noughts.
package func decimalText(for value: Double) -> String {
    let text = String(format: "%.4f", value)
    let trimmed = text.reversed().drop { $0 == "0" }
    return String((trimmed.first == "." ? trimmed.dropFirst() : trimmed).reversed())
}

/// "0.72422": as many digits as Ganeti's tools print, so that figures can be compared.
package func scoreText(for value: Double) -> String { String(format: "%.5f", value) }
