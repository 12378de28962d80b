// Finds the holes of a file: parts that were never written and read as zero.
//
// Looking at a hole of shared memory through a mapping fills it with a page, so a reader that wants to leave
// memory alone asks first.

import Glibc

/// The holes of one file, for one thread. Remembers the last answer: files have few, long parts.
package struct HoleFinder {
    // Linux: lseek(2). Not imported from C.
    private static let seekData: Int32 = 3
    private static let seekHole: Int32 = 4

    private let file: Descriptor
    private let size: Int
    /// Bytes known to be data, and to be followed by a hole or the end.
    private var data = 0..<0
    /// Bytes known to be a hole.
    private var hole = 0..<0

    package init(_ file: Descriptor, size: Int) {
        self.file = file
        self.size = size
    }

    /// The data in these bytes that begins first; nil when all is a hole. Throws when the file system
    /// cannot tell.
    package mutating func firstData(in bytes: Range<Int>) throws(SystemError) -> Range<Int>? {
        if hole.contains(bytes.lowerBound) {
            if hole.upperBound >= bytes.upperBound { return nil }
            return try firstData(in: hole.upperBound..<bytes.upperBound)
        }
        if !data.contains(bytes.lowerBound) { try learn(from: bytes.lowerBound) }
        let found = data.clamped(to: bytes)
        return found.isEmpty ? nil : found
    }

    private mutating func learn(from offset: Int) throws(SystemError) {
        let start = lseek(file.number, offset, Self.seekData)
        guard start >= 0 else {
            // ENXIO: nothing but a hole up to the end.
            guard errno == ENXIO else { throw SystemError(call: "lseek(SEEK_DATA)", code: errno) }
            hole = offset..<size
            data = size..<size
            return
        }
        hole = offset..<start
        let end = try checked("lseek(SEEK_HOLE)") { lseek(file.number, start, Self.seekHole) }
        data = start..<max(start, end)
    }
}
