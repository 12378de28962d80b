// What is wrong in a file: where, and what was expected there.

package struct GanetiFormatError: Error, Hashable, Sendable {
    package var file: String
    /// From 1.
    package var line: Int
    /// The column's name, or the section's.
    package var field: String
    package var expected: String
    /// What stands there, at most 80 characters of it.
    package var found: String

    init(file: String, line: Int, field: String, expected: String, found: some StringProtocol) {
        self.file = file
        self.line = line
        self.field = field
        self.expected = expected
        self.found = String(found.prefix(80))
    }
}

extension GanetiFormatError: CustomStringConvertible {
    package var description: String {
        "\(file):\(line): \(field): expected \(expected), found '\(found)'"
    }
}
