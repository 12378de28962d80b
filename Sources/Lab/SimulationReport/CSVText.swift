// Comma-separated values by RFC 4180, lines ended by a single line feed.

package struct CSVText: Sendable {
    package private(set) var text = ""

    package init(_ headings: [String]) { appendRow(values: headings) }

    package mutating func appendRow(values: [String]) {
        text += values.map(Self.quotedField).joined(separator: ",") + "\n"
    }

    /// Nothing where there is no value.
    package static func numberText(for value: Double?) -> String {
        guard let value, value.isFinite else { return "" }
        return value.description
    }

    private static func quotedField(for value: String) -> String {
        guard value.utf8.contains(where: ",\"\r\n".utf8.contains) else { return value }
        return "\"" + value.replacing("\"", with: "\"\"") + "\""
    }
}
