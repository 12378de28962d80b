// Verifies pages after they were sent: does the memory still equal what was sent?

import Model

/// Calls `found` for each page of a chunk whose hash differs from the one in the table. The memory must not be written
/// meanwhile.
/// - Parameters:
///   - memory: all of guest memory, `table.pageCount` pages.
///   - present: pages that are not holes; holes are zero and are not read. Nil if unknown.
package func verifyChunk(
    number chunk: Int, of memory: UnsafeRawPointer, present: ChunkPages?, table: PageHashTable,
    seed: UInt64, onDifference found: (Int) -> Void
) {
    let first = chunk * Limits.chunkPages
    for page in first..<min(first + Limits.chunkPages, table.pageCount) {
        let place = page - first
        let isHole =
            present.map { $0.words[place / 64] & (1 << UInt64(place % 64)) == 0 } ?? false
        let bytes = unsafe memory.advanced(by: page * pageBytes)
        let hash =
            unsafe isHole || isZeroPage(at: bytes) ? .zeroPage : PageHash(page: bytes, seed: seed)
        if hash != table[page] { found(page) }
    }
}
