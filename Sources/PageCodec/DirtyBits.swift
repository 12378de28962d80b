// The bitmap of dirty pages that a guest's process shares: one bit a page, 64-bit little-endian words.

/// Read-only view of a bitmap that another process writes when it is asked to.
@safe package struct DirtyBits: @unchecked Sendable {
    /// Kept alive by the owner of the mapping, longer than this value. `@unchecked`: only read here.
    private let words: UnsafePointer<UInt64>
    package let pageCount: Int

    /// - Parameter base: whole words for `pageCount` pages.
    package init(base: UnsafeRawPointer, pageCount: Int) {
        unsafe words = base.assumingMemoryBound(to: UInt64.self)
        self.pageCount = pageCount
    }

    @inline(__always)
    package func word(_ index: Int) -> UInt64 {
        precondition(index >= 0 && index < (pageCount + 63) / 64)
        return unsafe words[index]
    }

    /// Dirty pages among these, whose lower bound is a multiple of 64.
    package func count(in pages: Range<Int>) -> Int {
        var count = 0
        for index in (pages.lowerBound / 64)..<((pages.upperBound + 63) / 64) {
            count += word(index).nonzeroBitCount
        }
        return count
    }
}
