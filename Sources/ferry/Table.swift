// Tables and numbers as people read them.

import Foundation

/// Columns under headings, as wide as their widest value.
struct Table {
    private var rows: [[String]]

    init(_ headings: String...) { rows = [headings] }

    mutating func add(_ values: String...) { rows.append(values) }

    var text: String {
        let columns = rows.map(\.count).max() ?? 0
        let widths = (0..<columns).map { column in
            rows.map { column < $0.count ? $0[column].count : 0 }.max() ?? 0
        }
        return rows.map { row in
            zip(row, widths)
                .map { $0 + String(repeating: " ", count: $1 - $0.count) }
                .joined(separator: "  ")
                .trimmingCharacters(in: .whitespaces)
        }.joined(separator: "\n")
    }
}

/// "1.5 GiB"
func bytesText(_ bytes: Double) -> String {
    var (value, unit) = (bytes, "B")
    for next in ["KiB", "MiB", "GiB", "TiB"] where value >= 1024 {
        (value, unit) = (value / 1024, next)
    }
    return unit == "B" ? "\(Int(value)) B" : String(format: "%.1f %@", value, unit)
}

func bytesText(_ bytes: UInt64) -> String { bytesText(Double(bytes)) }

/// "7.3 ms", "1.24 s"
func timeText(ms: Double) -> String {
    ms < 1000 ? String(format: "%.1f ms", ms) : String(format: "%.2f s", ms / 1000)
}
