// Fields of the current row as values, and the error that says what was expected in one.

import Model
import Placement
import Simulation

extension CSVTable {
    /// The first of these columns that the header has.
    func requireColumn(named names: String...) throws(TraceError) -> Column {
        guard let column = findColumn(named: names) else {
            let place = TracePlace(file, line: 1, field: names[0])
            throw .malformed(
                place, expected: "a column " + names.joined(separator: " or "),
                found: Self.shortenText(header.joined(separator: ",")))
        }
        return column
    }

    func optionalColumn(named names: String...) -> Column? { findColumn(named: names) }

    func hasColumn(named name: String) -> Bool { header.contains(name.lowercased()) }

    private func findColumn(named names: [String]) -> Column? {
        for name in names {
            if let index = header.firstIndex(of: name.lowercased()) {
                return Column(name: name, index: index)
            }
        }
        return nil
    }

    func textValue(in column: Column) -> String {
        Self.fieldText(in: bytes, of: fields[column.index])
    }

    /// Words between spaces.
    func labelList(in column: Column) throws(TraceError) -> Set<String> {
        let words = textValue(in: column).split(separator: " ").map(String.init)
        guard words.count <= Limits.labelsMax else {
            throw malformedField(in: column, expected: "at most \(Limits.labelsMax) labels")
        }
        return Set(words)
    }

    func isFieldEmpty(in column: Column) -> Bool {
        fields[column.index].start == fields[column.index].end
    }

    /// Nothing, or a word by which databases and data frames write that there is nothing.
    func isFieldNull(in column: Column) -> Bool {
        isFieldEmpty(in: column)
            || ["null", "nan", "none"].contains(textValue(in: column).lowercased())
    }
}

extension CSVTable {
    /// Also with a point and zeros behind it, as data frames write whole numbers beside gaps.
    func wholeNumber(
        in column: Column, range: ClosedRange<Int>, meaning what: String = "a whole number"
    ) throws(TraceError) -> Int {
        let field = fields[column.index]
        let value =
            DecimalText.parseInteger(in: bytes, from: field.start, to: field.end)
            ?? DecimalText.parseDouble(in: bytes, from: field.start, to: field.end).flatMap {
                abs($0) <= 0x1p53 ? Int(exactly: $0) : nil
            }
        guard let value, range.contains(value) else {
            throw malformedField(
                in: column, expected: "\(what) from \(range.lowerBound) to \(range.upperBound)")
        }
        return value
    }

    func decimalNumber(
        in column: Column, range: ClosedRange<Double>, meaning what: String = "a number"
    ) throws(TraceError) -> Double {
        let field = fields[column.index]
        guard let value = DecimalText.parseDouble(in: bytes, from: field.start, to: field.end),
            range.contains(value)
        else {
            throw malformedField(
                in: column,
                expected:
                    "\(what) from \(range.lowerBound.plainText) to \(range.upperBound.plainText)")
        }
        return value
    }

    /// Seconds since the trace began.
    func simulationTime(in column: Column) throws(TraceError) -> SimTime {
        SimTime(
            seconds: try decimalNumber(in: column, range: 0...Limits.secondsMax, meaning: "seconds")
        )
    }

    /// Cores, in thousandths; more than none.
    func milliCPUs(in column: Column, thousandthsPerUnit: Double = 1000) throws(TraceError) -> Int {
        let most = Double(Limits.coresMax) * 1000 / thousandthsPerUnit
        let value = try decimalNumber(in: column, range: 0...most, meaning: "CPUs above 0:")
        let thousandths = Int((value * thousandthsPerUnit).rounded())
        guard thousandths > 0 else { throw malformedField(in: column, expected: "CPUs above 0") }
        return thousandths
    }

    /// Bytes from a figure in units of so many; more than none unless `allowsNone`.
    func memoryBytes(
        in column: Column, bytesPerUnit: Int, allowsNone: Bool = false
    ) throws(TraceError) -> Int {
        let most = Double(Limits.memoryBytesMax / bytesPerUnit)
        let value = try decimalNumber(in: column, range: 0...most, meaning: "memory above 0:")
        let bytes = Int((value * Double(bytesPerUnit)).rounded())
        guard bytes > 0 || allowsNone else {
            throw malformedField(in: column, expected: "memory above 0")
        }
        return bytes
    }
}

extension CSVTable {
    func malformedField(in column: Column, expected: String) -> TraceError {
        .malformed(
            TracePlace(file, line: line, field: column.name), expected: expected,
            found: Self.shortenText(textValue(in: column)))
    }

    /// The row as a whole is wrong.
    func malformedRow(expected: String, found: String) -> TraceError {
        .malformed(TracePlace(file, line: line), expected: expected, found: Self.shortenText(found))
    }

    static func shortenText(_ text: String) -> String {
        guard text.utf8.count > Limits.foundBytesMax else { return text }
        return String(decoding: text.utf8.prefix(Limits.foundBytesMax), as: UTF8.self) + "..."
    }
}
