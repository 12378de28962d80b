// The format itself: golden lines, round trips, and whatever a file may hold instead.

import Foundation
import History
import Host
import Model
import Testing
import Traces

@Suite("Lines of a history")
struct LineTests {
    private static let everyKind: [(Int64, HistoryLine)] =
        storyLines + [
            (
                600_001,
                .move(
                    move("web", from: "host-c", to: "host-a", operation: 10) {
                        $0.outcome = .failed
                        $0.reason = "the link broke"
                        ($0.seconds, $0.downtimeMs, $0.bytes) = (nil, nil, nil)
                    })
            ),
            (700_000, .gap(RecordedGap(.unreachable, since: 650_000))),
            (700_000, .gone(RecordedEnd(.host, name: "host-a"))),
        ]

    @Test func `Each kind of line stands as the documentation shows it`() throws {
        let file = try HistoryFile([
            (0, .host(host("host-a") { ($0.zone, $0.labels) = ("z1", ["ssd"]) })),
            (0, .group(RecordedGroup(name: "db", rule: .antiAffinity, scope: .rack))),
            (0, .vm(vm("web", 255) { $0.groups = ["db"] })),
            (0, .place(place("web", .running, on: "host-a"))),
            (10_000, load([("web", 0.42, 1)])),
            (20_500, .move(move("web", from: "host-a", to: "host-a"))),
            (21_000, .gap(RecordedGap(.forgotten, since: 20_000))),
            (22_000, .gone(RecordedEnd(.vm, name: "web"))),
            (23_000, .end),
        ])
        let expected = """
            {"cluster":"blue","everySeconds":10,"kind":"history","policy":"worst-fit","startedAtMs":1760000000000,"t":0,"version":1}
            {"cores":8,"cpuOvercommit":1,"features":[],"isFenced":false,"kind":"host","labels":["ssd"],"link":"","linkBytesPerSecond":1250000000,"memoryBytes":68719476736,"memoryOvercommit":1,"memoryReserveBytes":0,"name":"host-a","rack":"","state":"active","t":0,"zone":"z1"}
            {"kind":"group","name":"db","perDomainMax":1,"rule":"anti-affinity","scope":"rack","t":0}
            {"downtimeLimitMs":50,"groups":["db"],"id":"000000000000000000000000000000ff","kind":"vm","labels":[],"mayBeBalanced":true,"memoryBytes":4294967296,"name":"web","priority":0,"t":0,"vcpus":2}
            {"host":"host-a","kind":"place","state":"running","t":0,"vm":"web"}
            {"cores":[0.42],"dirtyBytesPerSecond":[3145728],"kind":"load","memoryBytes":[1073741824],"t":10000,"vms":["web"]}
            {"attempts":1,"bytes":4600000000,"downtimeMs":12.25,"from":"host-a","kind":"move","operation":"00000000000000000000000000000009","outcome":"done","plannedFor":"request","predictedBytes":{"expected":4500000000,"high":6000000000,"low":4000000000},"predictedDowntimeMs":{"expected":10,"high":20,"low":8},"predictedSeconds":{"expected":5,"high":7,"low":4},"seconds":5.5,"t":20500,"to":"host-a","vm":"web"}
            {"kind":"gap","since":20000,"t":21000,"why":"forgotten"}
            {"kind":"gone","name":"web","t":22000,"what":"vm"}
            {"kind":"end","t":23000}

            """
        #expect(try file.text == expected)
    }

    @Test func `What is read and written again is the same file`() throws {
        let file = try HistoryFile(Self.everyKind)
        let bytes = try file.bytes
        // Going on with a file reads all of it.
        let writer = try HistoryWriter(path: file.path, header: header())
        #expect(writer.continues && writer.lastTime == 700_000)
        #expect(try file.bytes == bytes)
        let history = try file.read()
        #expect(history.vms.map(\.name.text) == ["db", "web", "job", "huge"])
        #expect(history.moves.map(\.move.outcome) == [.done, .failed])
        #expect(history.gaps.map(\.since) == [650_000])
    }

    @Test func `A newer version is refused with what to do`() throws {
        let file = try HistoryFile(storyLines)
        try file.set(
            Array(try file.text.replacing(#""version":1"#, with: #""version":2"#).utf8))
        #expect {
            try file.read()
        } throws: { error in
            let text = "\(error)"
            return text.contains(":1, field version: expected 1: a newer ferry wrote this")
                && text.contains("found \"2\"")
        }
    }

    static let mistakes: [(find: String, put: String, line: Int, field: String, expected: String)] =
        [
            (#""kind":"group""#, #""kind":"guess""#, 2, "kind", "a value that this version knows"),
            (#""cores":8"#, #""cores":"8""#, 3, "cores", "a whole number"),
            (#""cores":8"#, #""cores":0"#, 3, "cores", "1 to 1048576"),
            (#""cores":8,"#, "", 3, "cores", "a value"),
            (#""cpuOvercommit":1"#, #""cpuOvercommit":-1"#, 3, "cpuOvercommit", "0.0 to 1000.0"),
            (#""name":"host-a""#, #""name":"Host A""#, 3, "", "names of lower-case letters"),
            (#""groups":["apart"]"#, #""groups":["other"]"#, 6, "groups", "that a line above"),
            (#""host":"host-a""#, #""host":"host-x""#, 7, "host", "that a line above"),
            (#""vm":"db""#, #""vm":"dc""#, 7, "vm", "that a line above"),
            (#""t":10000,"vms":["db","web"]"#, #""t":10000,"vms":["db"]"#, 10, "cores", "a value"),
            (#""t":61000"#, #""t":59999"#, 13, "t", "60000 or later, as the line above"),
            (#"{"downtimeLimitMs""#, #"["downtimeLimitMs""#, 6, "", "one JSON object"),
        ]

    @Test(arguments: mistakes.indices)
    func `A mistake is named by file, line, field and what was expected`(_ number: Int) throws {
        let mistake = Self.mistakes[number]
        let file = try HistoryFile(storyLines)
        let text = try file.text
        let place = try #require(text.range(of: mistake.find))
        try file.set(Array(text.replacingCharacters(in: place, with: mistake.put).utf8))
        do throws(TraceError) {
            _ = try file.read()
            Issue.record("it was read")
        } catch {
            guard case .malformed(let place, let expected, _) = error else { throw error }
            #expect(place.file == file.path && place.line == mistake.line, "\(error)")
            #expect(place.field == mistake.field, "\(error)")
            #expect(expected.contains(mistake.expected), "\(error)")
        }
    }

    @Test func `A file that is no history, an empty one and one that is not there are refused`()
        throws
    {
        for text in ["", "name,cpu\na,1\n", "{}\n", "[]\n", "\n", #"{"kind":"end","t":0}"# + "\n"] {
            let file = try HistoryFile(Array(text.utf8))
            #expect(throws: TraceError.self, "\(text)") { try file.read() }
        }
        let missing = HistoryFile()
        #expect {
            try missing.read()
        } throws: {
            guard case TraceError.unreadable(let file, let error) = $0 else { return false }
            return file == missing.path && error.isNoEntry
        }
    }

    @Test func `A file that is cut off anywhere reads as far as its whole lines go`() throws {
        let file = try HistoryFile(Self.everyKind)
        let bytes = try file.bytes
        let ends = bytes.indices.filter { bytes[$0] == UInt8(ascii: "\n") }
        let headerAndHosts = ends[2]
        for length in bytes.indices where length > headerAndHosts {
            try file.set(Array(bytes[..<length]))
            let history = try file.read()
            let rest = length - 1 - (ends.last { $0 < length } ?? 0)
            #expect(history.cutOffBytes == rest, "cut to \(length)")
            if rest > 0 { #expect(history.notes.contains { $0.contains("cut off (\(rest)") }) }
            _ = (history.workload, history.hostEvents)
        }
        for length in 0...headerAndHosts {
            try file.set(Array(bytes[..<length]))
            do throws(TraceError) { _ = try file.read() } catch {
                // Too short to be one: said, not trapped.
                #expect("\(error)".contains(file.path))
            }
        }
    }

    @Test func `No flipped bit traps, whatever is made of the file`() throws {
        let file = try HistoryFile(Self.everyKind)
        let bytes = try file.bytes
        var readable = 0
        for index in bytes.indices {
            var changed = bytes
            changed[index] ^= 1 << UInt8(index % 8)
            try file.set(changed)
            do throws(TraceError) {
                let history = try file.read()
                readable += 1
                _ = (history.workload, history.recordedStrategy, history.hostEvents)
            } catch { #expect("\(error)".contains(file.path)) }
        }
        // A digit that becomes another one is still a number.
        #expect(readable > 0)
    }
}
