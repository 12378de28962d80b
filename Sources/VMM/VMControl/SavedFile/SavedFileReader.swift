// Reads a saved VM's file: first its description and its state, then, once there is a machine for it, its memory.

package import Host
package import Model
import Wire

/// A file whose description and state have been read and checked.
package struct SavedFileReader: Sendable {
    package let header: SavedFileHeader
    package let state: [UInt8]
    private let file: Descriptor

    package init(_ file: Descriptor) throws(SavedFileError) {
        self.file = file
        var input = Input(file: file)
        let fixed = try input.readBytes(count: SavedFileHeader.fixedBytes, part: "header")
        guard fixed.starts(with: SavedFileHeader.magic) else { throw .notASavedVM }
        let (version, count) = try Self.decodePart(named: "header", from: fixed[8...]) {
            (reader) throws(WireError) in
            (
                try reader.readInteger(as: UInt32.self, field: "version"),
                try reader.readCount(
                    limit: SavedFileHeader.descriptionBytesMax, field: "description")
            )
        }
        guard version == SavedFileHeader.version else {
            throw .wrongVersion(found: Int(version), known: Int(SavedFileHeader.version))
        }
        let description = try input.readBytes(count: count, part: "description")
        let stateSize = try input.readBytes(count: 4, part: "state")
        let stateCount = try Self.decodePart(named: "state", from: stateSize[...]) {
            (reader) throws(WireError) in
            try reader.readCount(limit: SavedFileHeader.stateBytesMax, field: "state")
        }
        state = try input.readBytes(count: stateCount, part: "state")
        let sum = try input.readBytes(count: 4, part: "header's checksum")
        var checksum = crc32cChecksum(of: fixed[...])
        for piece in [description, stateSize, state] {
            checksum = crc32cChecksum(of: piece[...], after: checksum)
        }
        let expected = try Self.decodePart(named: "header", from: sum[...]) {
            (reader) throws(WireError) in
            try reader.readInteger(as: UInt32.self, field: "checksum")
        }
        guard checksum == expected else { throw .wrongChecksum(part: "header or state") }
        do { header = try SavedFileHeader(description: description) } catch {
            throw .malformed(part: "description", error)
        }
    }

    /// Reads all memory into that of a new guest, which must be zero: the file leaves out zero pages.
    package func readMemory(
        into memory: Mapping, layout: GuestMemoryLayout
    ) throws(SavedFileError) {
        var input = Input(file: file)
        var nextPage: UInt64 = 0
        var extents: UInt32 = 0
        while true {
            let mark = try input.readBytes(
                count: SavedFileHeader.markBytes, part: "memory from page \(nextPage) on")
            let (first, count, checksum) = try Self.decodePart(named: "memory", from: mark[...]) {
                (reader) throws(WireError) in
                (
                    try reader.readInteger(as: UInt64.self, field: "page"),
                    try reader.readInteger(as: UInt32.self, field: "pages"),
                    try reader.readInteger(as: UInt32.self, field: "checksum")
                )
            }
            let head = crc32cChecksum(of: mark[..<12])
            if first == SavedFileHeader.endMark {
                guard head == checksum, count == extents else {
                    throw .wrongChecksum(part: "end")
                }
                return
            }
            guard count >= 1, count <= SavedFileHeader.extentPagesMax, first >= nextPage,
                first < layout.pageCount,
                UInt64(count) <= UInt64(layout.pageCount) - first
            else { throw .malformed(part: "memory", .invalid(field: "extent", value: first)) }
            let part = "memory at page \(first)"
            let start = Int(first) * pageBytes
            let target = unsafe UnsafeMutableRawBufferPointer(
                rebasing: memory.bytes[start..<(start + Int(count) * pageBytes)])
            try unsafe input.fillBuffer(target, part: part)
            guard unsafe crc32cChecksum(of: UnsafeRawBufferPointer(target), after: head) == checksum
            else {
                throw .wrongChecksum(part: part)
            }
            nextPage = first + UInt64(count)
            extents &+= 1
        }
    }

    private static func decodePart<Value>(
        named part: String, from bytes: ArraySlice<UInt8>,
        body: (inout ByteReader) throws(WireError) -> Value
    ) throws(SavedFileError) -> Value {
        var reader = ByteReader(bytes)
        do { return try body(&reader) } catch { throw .malformed(part: part, error) }
    }
}

/// Whole pieces of a file or a pipe.
private struct Input {
    let file: Descriptor

    mutating func readBytes(count: Int, part: String) throws(SavedFileError) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        let result = unsafe bytes.withUnsafeMutableBytes { buffer in
            Result { () throws(SavedFileError) in try unsafe fillBuffer(buffer, part: part) }
        }
        try result.get()
        return bytes
    }

    func fillBuffer(
        _ buffer: UnsafeMutableRawBufferPointer, part: String
    ) throws(SavedFileError) {
        var done = 0
        while done < buffer.count {
            let count: Int
            do {
                count = try unsafe file.readAvailable(
                    into: UnsafeMutableRawBufferPointer(rebasing: buffer[done...]))
            } catch { throw .system(error) }
            if count == 0 { throw .truncated(part: part) }
            done += count
        }
    }
}
