// The bitmap of dirty pages that a guest's process shares: one bit per page, 64-bit little-endian words.

/// A read-only view of a bitmap that another process writes on request, and of additional dirty pages.
@safe package struct DirtyBits: @unchecked Sendable {
    /// The owner of the mapping outlives this value. `@unchecked`: it is only read here.
    private let words: UnsafePointer<UInt64>
    private let others: PageSet?
    package let pageCount: Int

    /// - Parameters:
    ///   - base: whole words for `pageCount` pages.
    ///   - others: pages that count as dirty, whatever the bitmap contains.
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

    /// The dirty pages in this range, whose lower bound is a multiple of 64.
    package func dirtyPageCount(in pages: Range<Int>) -> Int {
        var count = 0
        for index in (pages.lowerBound / 64)..<((pages.upperBound + 63) / 64) {
            count += bitmapWord(at: index).nonzeroBitCount
        }
        return count
    }
}
