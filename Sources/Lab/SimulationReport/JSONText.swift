// JSON whose bytes depend on the values alone: keys in the order they are given, numbers in Swift's shortest form that
// reads back as the same number.

import Model

package enum JSONText: Hashable, Sendable {
    case object([Field])
    case array([JSONText])
    case string(String)
    /// What is not finite becomes null: JSON has no word for it.
    case number(Double)
    case integer(Int)
    case unsigned(UInt64)
    case bool(Bool)
    case null

    package struct Field: Hashable, Sendable {
        package var key: String
        package var value: JSONText

        package init(_ key: String, _ value: JSONText) {
            self.key = key
            self.value = value
        }
    }

    package static func optionalNumber(_ value: Double?) -> JSONText {
        value.map { .number($0) } ?? .null
    }

    package static func numberArray(_ values: [Double]) -> JSONText {
        .array(values.map { .number($0) })
    }

    package static func stringArray(_ values: [String]) -> JSONText {
        .array(values.map { .string($0) })
    }

    /// Indented by two spaces; arrays of plain values stand on one line. Ends with a new line.
    package var text: String {
        var text = ""
        appendText(to: &text, indent: 0)
        return text + "\n"
    }

    private var isPlain: Bool {
        switch self {
        case .object, .array: false
        default: true
        }
    }

    private func appendText(to text: inout String, indent: Int) {
        switch self {
        case .object(let fields): writeObject(fields: fields, to: &text, indent: indent)
        case .array(let items): writeArray(items: items, to: &text, indent: indent)
        case .string(let string): Self.writeString(string, to: &text)
        case .number(let value):
            text += value.isFinite ? value.description : "null"
        case .integer(let value): text += value.description
        case .unsigned(let value): text += value.description
        case .bool(let value): text += value.description
        case .null: text += "null"
        }
    }

    private func writeObject(fields: [Field], to text: inout String, indent: Int) {
        guard !fields.isEmpty else {
            text += "{}"
            return
        }
        text += "{"
        for (place, field) in fields.enumerated() {
            text += place == 0 ? "\n" : ",\n"
            text += Self.indentation(depth: indent + 1)
            Self.writeString(field.key, to: &text)
            text += ": "
            field.value.appendText(to: &text, indent: indent + 1)
        }
        text += "\n" + Self.indentation(depth: indent) + "}"
    }

    private func writeArray(items: [JSONText], to text: inout String, indent: Int) {
        let isOneLine = items.allSatisfy(\.isPlain)
        text += "["
        for (place, item) in items.enumerated() {
            if place > 0 { text += isOneLine ? ", " : "," }
            if !isOneLine { text += "\n" + Self.indentation(depth: indent + 1) }
            item.appendText(to: &text, indent: indent + 1)
        }
        text += isOneLine ? "]" : "\n" + Self.indentation(depth: indent) + "]"
    }

    private static func indentation(depth indent: Int) -> String {
        String(repeating: " ", count: 2 * indent)
    }

    /// RFC 8259 section 7; `<` too, so that the text can stand inside a script element of HTML.
    private static func writeString(_ string: String, to text: inout String) {
        text += "\""
        for scalar in string.unicodeScalars {
            switch scalar {
            case "\"": text += "\\\""
            case "\\": text += "\\\\"
            case "\n": text += "\\n"
            case "\r": text += "\\r"
            case "\t": text += "\\t"
            case "<", "\u{2028}", "\u{2029}": text += escapeSequence(for: scalar)
            case _ where scalar.value < 0x20: text += escapeSequence(for: scalar)
            default: text.unicodeScalars.append(scalar)
            }
        }
        text += "\""
    }

    private static func escapeSequence(for scalar: Unicode.Scalar) -> String {
        "\\u" + scalar.value.hexadecimal(digits: 4)
    }
}
