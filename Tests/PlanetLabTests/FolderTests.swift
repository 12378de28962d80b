// What the reader of a day's folder takes, in which order, and what it says of what it does not take.

import Foundation
import Testing
import Traces

private final class DayFolder {
    let path = FileManager.default.temporaryDirectory.path + "/ferry-day-\(UUID())"

    init() throws {
        try FileManager.default.createDirectory(
            atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    func write(_ name: String, _ text: String) throws {
        try Data(text.utf8).write(to: URL(filePath: path + "/" + name))
    }

    /// 288 lines, the one with that number another.
    func write(_ name: String, lines: Int = 288, line: Int = 0, _ text: String = "") throws {
        try write(name, (1...lines).map { ($0 == line ? text : "7") + "\n" }.joined())
    }

    /// What the reader says, with the folder's own path left out.
    func complaint() -> String {
        do throws(TraceError) {
            _ = try PlanetLabFolder.readTraceDay(inFolder: path)
            return "none"
        } catch { return "\(error)".replacing(path, with: "DAY") }
    }
}

@Suite("A day's folder")
struct FolderTests {
    @Test func `VMs stand in the order of their names in upper case`() throws {
        let folder = try DayFolder()
        let names = ["b_2", "a_1", "B-1", "a 9", "ab", "a_", "A.x"]
        for (value, name) in names.enumerated() {
            try folder.write(name, String(repeating: "\(value)\n", count: 288))
        }
        let day = try PlanetLabFolder.readTraceDay(inFolder: folder.path)
        // As bytes: " " < "-" < "." < letters < "_".
        #expect(day.vmNames == ["a 9", "A.x", "ab", "a_", "a_1", "B-1", "b_2"])
        let values = day.vmNames.indices.map { day.usageSamples(ofVM: $0).first }
        #expect(values == [3, 6, 4, 5, 1, 2, 0])
        #expect(day.name == folder.path.split(separator: "/").last.map(String.init))
        #expect(try PlanetLabFolder.readTraceDay(inFolder: folder.path + "/") == day)
    }

    @Test func `Line ends of both kinds and a last line without one are read`() throws {
        let folder = try DayFolder()
        try folder.write("a", String(repeating: "100\r\n", count: 288))
        try folder.write("b", String(repeating: "0\n", count: 287) + "99")
        let day = try PlanetLabFolder.readTraceDay(inFolder: folder.path)
        #expect(day.usageSamples(ofVM: 0).allSatisfy { $0 == 100 })
        #expect(day.usageSamples(ofVM: 1).last == 99)
    }

    @Test(arguments: [
        ("101", "\"101\""), ("-1", "\"-1\""), ("4.5", "\"4.5\""), ("", "nothing"),
        (" 7", "\" 7\""), ("seven", "\"seven\""), ("٣", "\"٣\""),
    ])
    func `A line that is no percentage is named`(text: String, found: String) throws {
        let folder = try DayFolder()
        try folder.write("a")
        try folder.write("vm with a space", line: 12, text)
        #expect(
            folder.complaint()
                == "DAY/vm with a space:12, field cpu: expected a whole number from 0 to 100, "
                + "found \(found)")
    }

    @Test func `Too few and too many lines are refused`() throws {
        let short = try DayFolder()
        try short.write("a", lines: 287)
        #expect(
            short.complaint()
                == "DAY/a:288, field cpu: expected 288 lines with a number each, "
                + "found \"the end of the file\"")
        let long = try DayFolder()
        try long.write("a", lines: 289)
        #expect(
            long.complaint()
                == "DAY/a:289, field cpu: expected the end of the file after 288 lines, "
                + "found \"7\"")
        let huge = try DayFolder()
        try huge.write("a", lines: 100_000)
        #expect(huge.complaint() == "DAY/a has more than 288 samples")
        let empty = try DayFolder()
        try empty.write("a", "")
        #expect(empty.complaint().contains("DAY/a:1"))
    }

    @Test func `What is no folder of files is refused`() throws {
        let folder = try DayFolder()
        #expect(folder.complaint() == "DAY: expected one file for each VM, found nothing")
        try folder.write("a")
        try FileManager.default.createDirectory(
            atPath: folder.path + "/20110306", withIntermediateDirectories: true)
        #expect(
            folder.complaint()
                == "DAY/20110306: expected a file with 288 numbers, found \"a folder\"")
        #expect(throws: TraceError.self) {
            try PlanetLabFolder.readTraceDay(inFolder: folder.path + "/a")
        }
        #expect(throws: TraceError.self) {
            try PlanetLabFolder.readTraceDay(inFolder: folder.path + "/missing")
        }
    }
}
