// JSON, CSV and numbers: bytes that depend on the values alone.

import SimulationReport
import Testing

@Suite("Formats of reports")
struct TextFormatTests {
    @Test func `JSON keeps the order of keys and writes numbers in their shortest form`() {
        let json = JSONText.object([
            .init("b", .number(0.1)), .init("a", .numberArray([1, 2.5, 1e-7, 1e300])),
            .init("none", .optionalNumber(nil)), .init("not", .number(.nan)),
            .init("large", .unsigned(.max)), .init("empty", .object([])), .init("yes", .bool(true)),
        ])
        #expect(
            json.text == """
                {
                  "b": 0.1,
                  "a": [1.0, 2.5, 1e-07, 1e+300],
                  "none": null,
                  "not": null,
                  "large": 18446744073709551615,
                  "empty": {},
                  "yes": true
                }

                """)
    }

    @Test func `Strings in JSON are escaped, and cannot end a script element`() {
        let json = JSONText.string("a\"b\\c\nd\u{1}</script>é\u{2028}")
        #expect(
            json.text
                == "\"a\\\"b\\\\c\\nd\\u0001\\u003c/script>é\\u2028\"\n")
    }

    @Test func `CSV quotes what needs it`() {
        var csv = CSVText(["name", "value"])
        csv.appendRow(values: ["plain", CSVText.numberText(for: 0.25)])
        csv.appendRow(values: ["with, comma", CSVText.numberText(for: nil)])
        csv.appendRow(values: ["with \"quotes\"", "two\nlines"])
        #expect(
            csv.text == #"""
                name,value
                plain,0.25
                "with, comma",
                "with ""quotes""","two
                lines"

                """#)
    }

    @Test(arguments: [
        (-0.004, 2, "0.00"), (-0.006, 2, "-0.01"), (12.345, 1, "12.3"), (Double.nan, 2, "–"),
        (0.0, 0, "0"),
    ])
    func `Numbers have the digits asked for and never a minus before nothing`(
        _ value: Double, _ decimals: Int, _ text: String
    ) {
        #expect(fixedPointText(for: value, decimals: decimals) == text)
    }

    @Test(arguments: [
        (90.0, "90 s"), (2700.0, "45 min"), (86_400.0, "24 h"), (324_000.0, "3 d 18 h"),
        (604_800.0, "7 d"), (9000.0, "2 h 30 min"),
    ])
    func `Spans of time are told in the units that people use`(_ seconds: Double, _ text: String) {
        #expect(durationText(seconds: seconds) == text)
    }
}
