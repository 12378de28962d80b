// Writes a paused VM to a file.

import Glibc
package import Host
import Model
package import VMControl
import Wire

package struct SavedFileWriter {
    private let file: Descriptor

    package init(file: Descriptor) { self.file = file }

    /// Returns with everything on disk, where the file is on one.
    package func writeMachine(
        header: SavedFileHeader, state: [UInt8], memory: GuestMemory
    ) throws(SystemError) {
        var writer = ByteWriter(reserving: state.count + 4096)
        writer.writeBytes(raw: SavedFileHeader.magic)
        writer.writeInteger(SavedFileHeader.version)
        writer.writeBytes(counted: header.description)
        writer.writeBytes(counted: state)
        writer.writeInteger(crc32cChecksum(of: writer.bytes[...]))
        try file.writeAllBytes(writer.bytes)
        var extents: UInt32 = 0
        try forEachDataRange(of: memory) { (range) throws(SystemError) in
            extents &+= try writeExtents(of: memory, in: range)
        }
        let nothing = unsafe UnsafeRawBufferPointer(start: nil, count: 0)
        try unsafe file.writeAllBytes(
            extentMark(first: SavedFileHeader.endMark, count: extents, bytes: nothing))
        // Pipes and sockets cannot be synced, and need not be.
        if fsync(file.number) < 0, errno != EINVAL, errno != EROFS {
            throw SystemError(call: "fsync", code: errno)
        }
    }

    /// The page ranges of the memory file that have memory behind them at all: holes read as zero, and
    /// reading them would fill them.
    private func forEachDataRange(
        of memory: GuestMemory, body: (Range<Int>) throws(SystemError) -> Void
    ) throws(SystemError) {
        let end = memory.mapping.count
        var position = 0
        while let data = MemoryFile.nextDataRange(in: memory.file, from: position, end: end) {
            try body(data.lowerBound / pageBytes..<(data.upperBound + pageBytes - 1) / pageBytes)
            position = data.upperBound
        }
    }

    private func writeExtents(
        of memory: GuestMemory, in range: Range<Int>
    ) throws(SystemError) -> UInt32 {
        var extents: UInt32 = 0
        var page = range.lowerBound
        while page < range.upperBound {
            let limit = min(range.upperBound, page + SavedFileHeader.extentPagesMax)
            var end = page
            while end < limit, unsafe !isZeroPage(at: memory.mapping.base + end * pageBytes) {
                end += 1
            }
            guard end > page else {
                page += 1
                continue
            }
            let bytes = unsafe UnsafeRawBufferPointer(
                start: memory.mapping.base + page * pageBytes, count: (end - page) * pageBytes)
            try unsafe file.writeAllBytes(
                extentMark(first: UInt64(page), count: UInt32(end - page), bytes: bytes))
            try unsafe file.writeAllBytes(of: bytes)
            extents &+= 1
            page = end
        }
        return extents
    }
}

/// Whether a page holds only zeros; stops at the first that is not.
private func isZeroPage(at page: UnsafeRawPointer) -> Bool {
    var offset = 0
    while offset < pageBytes {
        var word: UInt64 = 0
        for step in 0..<8 {
            word |= unsafe page.load(fromByteOffset: offset + step * 8, as: UInt64.self)
        }
        if word != 0 { return false }
        offset += 64
    }
    return true
}
