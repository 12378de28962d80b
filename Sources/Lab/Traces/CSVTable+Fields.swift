// Fields of the current row as values, and the error that says what was expected in one.

import Model
import Placement
import Simulation

extension CSVTable {
    /// The first of these columns that the header has.
    func column(_ names: String...) throws(TraceError) -> Column {
        guard let column = find(names) else {
            let place = TracePlace(file, line: 1, field: names[0])
            throw .malformed(
                place, expected: "a column " + names.joined(separator: " or "),
                found: Self.cut(header.joined(separator: ",")))
        }
        return column
    }

    func optionalColumn(_ names: String...) -> Column? { find(names) }

    func has(_ name: String) -> Bool { header.contains(name.lowercased()) }

    private func find(_ names: [String]) -> Column? {
        for name in names {
            if let index = header.firstIndex(of: name.lowercased()) {
                return Column(name: name, index: index)
            }
        }
        return nil
    }

    func text(_ column: Column) -> String { Self.text(bytes, fields[column.index]) }

    /// Words between spaces.
    func labels(_ column: Column) throws(TraceError) -> Set<String> {
        let words = text(column).split(separator: " ").map(String.init)
        guard words.count <= Limits.labelsMax else {
            throw malformed(column, "at most \(Limits.labelsMax) labels")
        }
        return Set(words)
    }

    func isEmpty(_ column: Column) -> Bool {
        fields[column.index].start == fields[column.index].end
    }

    /// Nothing, or a word by which databases and data frames write that there is nothing.
    func isNull(_ column: Column) -> Bool {
        isEmpty(column) || ["null", "nan", "none"].contains(text(column).lowercased())
    }
}

extension CSVTable {
    /// Also with a point and zeros behind it, as data frames write whole numbers beside gaps.
    func wholeNumber(
        _ column: Column, in range: ClosedRange<Int>, _ what: String = "a whole number"
    ) throws(TraceError) -> Int {
        let field = fields[column.index]
        let value =
            DecimalText.int(bytes, field.start, field.end)
            ?? DecimalText.double(bytes, field.start, field.end).flatMap {
                abs($0) <= 0x1p53 ? Int(exactly: $0) : nil
            }
        guard let value, range.contains(value) else {
            throw malformed(column, "\(what) from \(range.lowerBound) to \(range.upperBound)")
        }
        return value
    }

    func number(
        _ column: Column, in range: ClosedRange<Double>, _ what: String = "a number"
    ) throws(TraceError) -> Double {
        let field = fields[column.index]
        guard let value = DecimalText.double(bytes, field.start, field.end), range.contains(value)
        else {
            throw malformed(
                column,
                "\(what) from \(range.lowerBound.plainText) to \(range.upperBound.plainText)")
        }
        return value
    }

    /// Seconds since the trace began.
    func time(_ column: Column) throws(TraceError) -> SimTime {
        SimTime(seconds: try number(column, in: 0...Limits.secondsMax, "seconds"))
    }

    /// Cores, in thousandths; more than none.
    func milliCPUs(_ column: Column, thousandthsPerUnit: Double = 1000) throws(TraceError) -> Int {
        let most = Double(Limits.coresMax) * 1000 / thousandthsPerUnit
        let value = try number(column, in: 0...most, "CPUs above 0:")
        let thousandths = Int((value * thousandthsPerUnit).rounded())
        guard thousandths > 0 else { throw malformed(column, "CPUs above 0") }
        return thousandths
    }

    /// Bytes from a figure in units of so many; more than none unless `allowsNone`.
    func memoryBytes(
        _ column: Column, bytesPerUnit: Int, allowsNone: Bool = false
    ) throws(TraceError) -> Int {
        let most = Double(Limits.memoryBytesMax / bytesPerUnit)
        let value = try number(column, in: 0...most, "memory above 0:")
        let bytes = Int((value * Double(bytesPerUnit)).rounded())
        guard bytes > 0 || allowsNone else { throw malformed(column, "memory above 0") }
        return bytes
    }
}

extension CSVTable {
    func malformed(_ column: Column, _ expected: String) -> TraceError {
        .malformed(
            TracePlace(file, line: line, field: column.name), expected: expected,
            found: Self.cut(text(column)))
    }

    /// The row as a whole is wrong.
    func malformed(_ expected: String, found: String) -> TraceError {
        .malformed(TracePlace(file, line: line), expected: expected, found: Self.cut(found))
    }

    static func cut(_ text: String) -> String {
        guard text.utf8.count > Limits.foundBytesMax else { return text }
        return String(decoding: text.utf8.prefix(Limits.foundBytesMax), as: UTF8.self) + "..."
    }
}
