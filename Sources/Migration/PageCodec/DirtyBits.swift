// The bitmap of dirty pages that a guest's process shares: one bit a page, 64-bit little-endian words.

/// Read-only view of a bitmap that another process writes when it is asked to, and of pages that are dirty beside it.
@safe package struct DirtyBits: @unchecked Sendable {
    /// Kept alive by the owner of the mapping, longer than this value. `@unchecked`: only read here.
    private let words: UnsafePointer<UInt64>
    private let others: PageSet?
    package let pageCount: Int

    /// - Parameters:
    ///   - base: whole words for `pageCount` pages.
    ///   - others: count as dirty, whatever the bitmap says.
    package init(base: UnsafeRawPointer, pageCount: Int, others: PageSet? = nil) {
        unsafe words = base.assumingMemoryBound(to: UInt64.self)
        self.others = others
        self.pageCount = pageCount
    }

    @inline(__always)
    package func bitmapWord(at index: Int) -> UInt64 {
        precondition(index >= 0 && index < (pageCount + 63) / 64)
        return unsafe words[index] | (others?.bitmapWord(at: index) ?? 0)
    }

    /// Dirty pages among these, whose lower bound is a multiple of 64.
    package func dirtyPageCount(in pages: Range<Int>) -> Int {
        var count = 0
        for index in (pages.lowerBound / 64)..<((pages.upperBound + 63) / 64) {
            count += bitmapWord(at: index).nonzeroBitCount
        }
        return count
    }
}
