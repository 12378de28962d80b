// Why a trace cannot be read: where, and what was expected there.

package import Host

/// A place in a file, as editors count: from 1. A line of 0 is the file as a whole.
package struct TracePlace: Hashable, Sendable {
    package var file: String
    package var line: Int
    /// The column's name in the format's documentation; empty: the whole line.
    package var field: String

    package init(_ file: String, line: Int = 0, field: String = "") {
        self.file = file
        self.line = line
        self.field = field
    }
}

package enum TraceError: Error, Hashable, Sendable {
    case unreadable(file: String, SystemError)
    /// `found` is cut to a few characters.
    case malformed(TracePlace, expected: String, found: String)
    case tooLarge(file: String, limit: Int, of: String)
    case unknownFormat(path: String, known: [String])
}

extension TracePlace: CustomStringConvertible {
    package var description: String {
        file + (line > 0 ? ":\(line)" : "") + (field.isEmpty ? "" : ", field \(field)")
    }
}

extension TraceError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .unreadable(let file, let error): "cannot read \(file): \(error)"
        case .malformed(let place, let expected, let found):
            "\(place): expected \(expected), found \(found.isEmpty ? "nothing" : "\"\(found)\"")"
        case .tooLarge(let file, let limit, let of): "\(file) has more than \(limit) \(of)"
        case .unknownFormat(let path, let known):
            "\(path) is in no known trace format; say which it is with --format: \(known.joined(separator: ", "))"
        }
    }
}
