// The file: only ever longer, whole lines, one writer, one cluster.

import History
import Host
import Model
import Testing

@Suite("Writing a history")
struct WriterTests {
    @Test func `A file that is there is gone on with, and keeps its header`() throws {
        let file = try HistoryFile(storyLines)
        let before = try file.bytes
        var other = header()
        other.startedAtMs += 1_000_000
        do {
            var writer = try HistoryWriter(path: file.path, header: other)
            #expect(writer.continues && writer.header == header())
            #expect(writer.lastTime == 600_000)
            // It knows what the file says.
            #expect(writer.recordedState.changedLines(for: host("host-b")).isEmpty)
            try writer.writeEntry(
                HistoryEntry(t: 900_000, line: .gap(RecordedGap(.stopped, since: 600_000))))
            try writer.writeEntry(
                HistoryEntry(t: 900_000, line: .gone(RecordedEnd(.vm, name: "web"))))
        }
        #expect(try file.bytes.starts(with: before))
        let history = try file.read()
        #expect(history.end == 900_000 && !history.endedInOrder)
        #expect(history.gaps == [TimedGap(since: 600_000, until: 900_000, why: .stopped)])
    }

    @Test func `What a killed recorder left of a line is cut away and said`() throws {
        let file = try HistoryFile(storyLines)
        let whole = try file.bytes
        try file.set(whole + Array(#"{"cores":[0.4"#.utf8))
        do {
            var writer = try HistoryWriter(path: file.path, header: header())
            #expect(writer.continues && writer.cutOffBytes == 13)
            try writer.writeEntry(HistoryEntry(t: 700_000, line: .end))
        }
        #expect(try file.bytes == whole + Array("{\"kind\":\"end\",\"t\":700000}\n".utf8))
    }

    @Test func `Another cluster's history and other files are left as they are`() throws {
        let file = try HistoryFile(storyLines)
        let before = try file.bytes
        #expect {
            _ = try HistoryWriter(path: file.path, header: header("green"))
        } throws: { "\($0)".contains("is the history of cluster blue: choose another file") }
        #expect(try file.bytes == before)
        try file.set(Array("precious\n".utf8))
        #expect {
            _ = try HistoryWriter(path: file.path, header: header())
        } throws: { "\($0)".contains("no history that could be gone on with") }
        #expect(try file.text == "precious\n")
    }

    @Test func `One file has one writer`() throws {
        let file = HistoryFile()
        let first = try HistoryWriter(path: file.path, header: header())
        #expect {
            _ = try HistoryWriter(path: file.path, header: header())
        } throws: { "\($0)".contains("another `ferry record`") }
        #expect(first.lines == 1)
    }

    @Test func `Time never goes back, and what could not be read is not written`() throws {
        let file = HistoryFile()
        do {
            var writer = try HistoryWriter(path: file.path, header: header())
            try writer.writeEntry(HistoryEntry(t: 5000, line: .host(host("host-a"))))
            try writer.writeEntry(HistoryEntry(t: 4000, line: .end))
            #expect(writer.lastTime == 5000)
            #expect(throws: HistoryWriteError.self) {
                try writer.writeEntry(HistoryEntry(t: 6000, line: .host(host("host-b", cores: 0))))
            }
            #expect(throws: HistoryWriteError.self) {
                var odd = host("host-b")
                odd.cpuOvercommit = .nan
                try writer.writeEntry(HistoryEntry(t: 6000, line: .host(odd)))
            }
        }
        #expect(try file.read().end == 5000)
    }
}
