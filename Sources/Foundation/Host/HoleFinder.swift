// Finds the holes of a file: parts that were never written and read as zero.
//
// Looking at a hole of shared memory through a mapping fills it with a page, so a reader that wants to leave
// memory alone asks first.

import Glibc

/// The holes of one file, for one thread. Remembers where data is, for files have few, long parts; never a hole: a
/// hole is true only now, and somebody may be filling it.
package struct HoleFinder {
    // Linux: lseek(2). Not imported from C.
    private static let seekData: Int32 = 3
    private static let seekHole: Int32 = 4

    private let file: Descriptor
    private var data = 0..<0

    package init(_ file: Descriptor) { self.file = file }

    /// The data in these bytes that begins first; nil when all is a hole at this moment. Throws when the file
    /// system cannot tell.
    package mutating func firstData(in bytes: Range<Int>) throws(SystemError) -> Range<Int>? {
        if data.contains(bytes.lowerBound) { return data.clamped(to: bytes) }
        let start = lseek(file.number, bytes.lowerBound, Self.seekData)
        if start < 0 {
            // ENXIO: nothing but a hole up to the end.
            guard errno == ENXIO else { throw SystemError(call: "lseek(SEEK_DATA)", code: errno) }
            return nil
        }
        guard start < bytes.upperBound else { return nil }
        let end = try checkedSystemCall(named: "lseek(SEEK_HOLE)") {
            lseek(file.number, start, Self.seekHole)
        }
        data = start..<max(start + 1, end)
        return data.clamped(to: bytes)
    }
}
