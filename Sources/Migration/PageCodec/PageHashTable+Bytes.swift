// A part of a hash table as bytes: 16 per page, low word first, little-endian.

extension PageHashTable {
    private static let entryBytes = 16

    /// Chunks with at least one page, contiguous ones together, as ranges of at most `pagesMax` pages, ascending.
    /// - Parameter pagesMax: a multiple of a chunk's pages.
    package func presentRanges(pagesMax: Int) -> [Range<Int>] {
        var ranges: [Range<Int>] = []
        for first in stride(from: 0, to: pageCount, by: Limits.chunkPages) {
            let pages = first..<min(first + Limits.chunkPages, pageCount)
            guard pages.contains(where: { self[$0] != .none }) else { continue }
            if let last = ranges.last, last.upperBound == first, last.count < pagesMax {
                ranges[ranges.count - 1] = last.lowerBound..<pages.upperBound
            } else {
                ranges.append(pages)
            }
        }
        return ranges
    }

    package func encodedBytes(of pages: Range<Int>) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(pages.count * Self.entryBytes)
        for page in pages {
            for word in [self[page].low, self[page].high] {
                for shift in stride(from: UInt64(0), to: 64, by: 8) {
                    bytes.append(UInt8(truncatingIfNeeded: word >> shift))
                }
            }
        }
        return bytes
    }

    /// - Precondition: the bytes are whole entries, and their pages are in the table.
    package func decodeEntries(from bytes: [UInt8], firstPage: Int) {
        for entry in 0..<(bytes.count / Self.entryBytes) {
            let place = entry * Self.entryBytes
            self[firstPage + entry] = PageHash(
                low: Self.readWord(from: bytes, at: place),
                high: Self.readWord(from: bytes, at: place + 8))
        }
    }

    private static func readWord(from bytes: [UInt8], at place: Int) -> UInt64 {
        var word: UInt64 = 0
        for byte in (0..<8).reversed() { word = word << 8 | UInt64(bytes[place + byte]) }
        return word
    }
}
