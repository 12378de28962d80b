// Comma-separated values by RFC 4180, lines ended by a single line feed.

package struct CSVText: Sendable {
    package private(set) var text = ""

    package init(_ headings: [String]) { addRow(headings) }

    package mutating func addRow(_ values: [String]) {
        text += values.map(Self.quotedText).joined(separator: ",") + "\n"
    }

    /// Nothing where there is no value.
    package static func numberText(_ value: Double?) -> String {
        guard let value, value.isFinite else { return "" }
        return value.description
    }

    private static func quotedText(_ value: String) -> String {
        guard value.utf8.contains(where: ",\"\r\n".utf8.contains) else { return value }
        return "\"" + value.replacing("\"", with: "\"\"") + "\""
    }
}
