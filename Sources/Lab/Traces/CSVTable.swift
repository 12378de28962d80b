// A table in a text file: a header and rows of fields between commas or semicolons, scanned byte by byte.
//
// As RFC 4180 has it, and as programs write it: a field may stand in quotes, with quotes in it doubled and line breaks as
// they are; lines end in LF or CRLF; a byte-order mark, empty lines and a missing last line end do no harm. Spaces and
// tabs around a field that is not quoted are no part of it. A row has as many fields as the header.
//
//   let arrival = try table.column("arrival_s")
//   while try table.next() { ... try table.time(arrival) ... }

extension UInt8 {
    static let comma = UInt8(ascii: ",")
    static let semicolon = UInt8(ascii: ";")
    static let quote = UInt8(ascii: "\"")
    static let lineFeed = UInt8(ascii: "\n")
    static let carriageReturn = UInt8(ascii: "\r")

    var isBlank: Bool { self == UInt8(ascii: " ") || self == UInt8(ascii: "\t") }
}

/// A column that the header has.
struct Column {
    /// As the format's documentation writes it.
    let name: String
    let index: Int
}

struct CSVTable {
    let file: String
    let bytes: [UInt8]
    private let separator: UInt8
    /// Names in the header, in lower case.
    private(set) var header: [String] = []
    /// The row's first line, from 1.
    private(set) var line = 0
    private var nextLine = 1
    private var position = 0
    private var rows = 0
    /// Places in `bytes`.
    private(set) var fields: [Field] = []

    struct Field {
        var start: Int
        var end: Int
        /// It stood in quotes and has doubled ones in it.
        var hasDoubledQuotes = false
    }

    /// Reads the header.
    init(file: String, bytes: [UInt8], separator: UInt8 = .comma) throws(TraceError) {
        self.file = file
        self.bytes = bytes
        self.separator = separator
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { position = 3 }
        guard try scanFilledRow() else {
            throw .malformed(TracePlace(file), expected: "a header", found: "")
        }
        header = fields.map { Self.fieldText(in: bytes, of: $0).lowercased() }
    }

    /// Goes on to the next row; false at the end.
    mutating func readNextRow() throws(TraceError) -> Bool {
        guard try scanFilledRow() else { return false }
        guard fields.count == header.count else {
            throw malformedRow(
                expected: "\(header.count) fields, as in the header", found: "\(fields.count)")
        }
        rows += 1
        guard rows <= Limits.rowsMax else {
            throw .tooLarge(file: file, limit: Limits.rowsMax, of: "rows")
        }
        return true
    }

    private mutating func scanFilledRow() throws(TraceError) -> Bool {
        while position < bytes.count {
            try scanNextRow()
            let isEmptyLine = fields.count == 1 && fields[0].start == fields[0].end
            if !isEmptyLine { return true }
        }
        return false
    }

    private mutating func scanNextRow() throws(TraceError) {
        line = nextLine
        fields.removeAll(keepingCapacity: true)
        while true {
            let field = try scanField()
            guard field.end - field.start <= Limits.fieldBytesMax else {
                throw malformedRow(
                    expected: "fields of at most \(Limits.fieldBytesMax) bytes", found: "more")
            }
            guard fields.count < Limits.columnsMax else {
                throw malformedRow(expected: "at most \(Limits.columnsMax) fields", found: "more")
            }
            fields.append(field)
            guard position < bytes.count else { return }
            position += 1
            guard bytes[position - 1] == .lineFeed else { continue }
            nextLine += 1
            return
        }
    }

    /// One field; `position` is then at the separator or line feed behind it, or at the end.
    private mutating func scanField() throws(TraceError) -> Field {
        while position < bytes.count, bytes[position].isBlank, bytes[position] != separator {
            position += 1
        }
        if position < bytes.count, bytes[position] == .quote { return try scanQuoted() }
        let start = position
        while position < bytes.count {
            let byte = bytes[position]
            if byte == separator || byte == .lineFeed { break }
            position += 1
        }
        var end = position
        if end > start, bytes[end - 1] == .carriageReturn, endsLine { end -= 1 }
        while end > start, bytes[end - 1].isBlank { end -= 1 }
        return Field(start: start, end: end)
    }

    private var endsLine: Bool { position == bytes.count || bytes[position] == .lineFeed }

    private mutating func scanQuoted() throws(TraceError) -> Field {
        position += 1
        var field = Field(start: position, end: position)
        while true {
            guard position < bytes.count else {
                throw malformedRow(
                    expected: "a quote that closes the field", found: "the end of the file")
            }
            let byte = bytes[position]
            position += 1
            if byte == .lineFeed { nextLine += 1 }
            guard byte == .quote else { continue }
            guard position < bytes.count, bytes[position] == .quote else { break }
            field.hasDoubledQuotes = true
            position += 1
        }
        field.end = position - 1
        try skipBehindQuote()
        return field
    }

    private mutating func skipBehindQuote() throws(TraceError) {
        while position < bytes.count, bytes[position] != separator, bytes[position] != .lineFeed {
            guard bytes[position].isBlank || bytes[position] == .carriageReturn else {
                throw malformedRow(
                    expected: "the end of the field behind its closing quote", found: "more")
            }
            position += 1
        }
    }

    static func fieldText(in bytes: [UInt8], of field: Field) -> String {
        let text = String(decoding: bytes[field.start..<field.end], as: UTF8.self)
        return field.hasDoubledQuotes ? text.replacingDoubledQuotes() : text
    }
}

extension String {
    fileprivate func replacingDoubledQuotes() -> String {
        var text = ""
        var skipsQuote = false
        for character in unicodeScalars {
            let isSecond = skipsQuote && character == "\""
            skipsQuote = character == "\"" && !isSecond
            if !isSecond { text.unicodeScalars.append(character) }
        }
        return text
    }
}
