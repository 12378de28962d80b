// Reads the lines of a history one after the other; what a killed recorder left of its last line is dropped and said.
//
// Memory holds one line and the block that it stands in.

import Glibc
import Host
import Traces

struct HistoryLines {
    private static let blockBytes = 256 << 10

    let path: String
    private let file: Descriptor
    private var buffer: [UInt8] = []
    /// Where the next line begins in `buffer`.
    private var start = 0
    private var fileEnded = false
    private(set) var line = 0
    /// Of whole lines.
    private(set) var wholeBytes = 0
    /// Bytes of a last line without an end.
    private(set) var cutOffBytes = 0
    private var lastTime: Int64 = 0
    /// The header, once the first line is read.
    private(set) var header: HistoryHeader?

    init(_ path: String) throws(TraceError) {
        self.path = path
        do throws(SystemError) { file = try Descriptor.openFile(at: path, flags: O_RDONLY) } catch {
            throw .unreadable(file: path, error)
        }
    }

    /// Nil at the end. The first is the header, and no other is.
    mutating func readNextEntry() throws(TraceError) -> HistoryEntry? {
        guard let bytes = try readNextLine() else {
            guard header != nil else {
                throw .malformed(
                    TracePlace(path, line: 1), expected: "a history that `ferry record` wrote",
                    found: "")
            }
            return nil
        }
        let place = TracePlace(path, line: line)
        let entry = try HistoryEntry.decodeEntry(from: bytes, at: place)
        try checkEntry(entry, at: place)
        lastTime = entry.t
        return entry
    }

    private mutating func checkEntry(_ entry: HistoryEntry, at place: TracePlace) throws(TraceError)
    {
        if case .begin(let header) = entry.line {
            guard self.header == nil else {
                throw .malformed(place, expected: "no second header", found: "history")
            }
            self.header = header
        } else if header == nil {
            throw .malformed(
                TracePlace(place.file, line: place.line, field: "kind"),
                expected: "history, in the first line", found: "another kind")
        }
        guard entry.t >= lastTime else {
            throw .malformed(
                TracePlace(place.file, line: place.line, field: "t"),
                expected: "\(lastTime) or later, as the line above has it", found: "\(entry.t)")
        }
    }

    /// The next whole line without its newline.
    private mutating func readNextLine() throws(TraceError) -> ArraySlice<UInt8>? {
        var searched = start
        while true {
            if let end = buffer[searched...].firstIndex(of: UInt8(ascii: "\n")) {
                let bytes = buffer[start..<end]
                line += 1
                wholeBytes += end + 1 - start
                start = end + 1
                return bytes
            }
            guard buffer.count - start <= Limits.lineBytesMax else {
                throw .tooLarge(
                    file: path, limit: Limits.lineBytesMax, of: "bytes in line \(line + 1)")
            }
            guard !fileEnded else {
                cutOffBytes = buffer.count - start
                return nil
            }
            searched = buffer.count - start
            try readBlock()
        }
    }

    private mutating func readBlock() throws(TraceError) {
        buffer.removeFirst(start)
        start = 0
        do throws(SystemError) {
            let block = try file.readAvailable(upTo: Self.blockBytes)
            fileEnded = block.isEmpty
            buffer += block
        } catch { throw .unreadable(file: path, error) }
    }
}
