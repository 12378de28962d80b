// A set of pages, one bit per page: the pages that a round must examine besides the dirty log.

/// Pages of one memory. One thread changes it while no other thread reads it.
@safe package final class PageSet: @unchecked Sendable {
    /// `@unchecked`: streams read it during a round, the control thread changes it between rounds.
    private let words: UnsafeMutablePointer<UInt64>
    package let pageCount: Int
    /// False if the set is empty, without examining each page.
    package private(set) var mayHavePages = false

    package init(pageCount: Int) {
        self.pageCount = pageCount
        unsafe words = .allocate(capacity: Self.wordCount(forPages: pageCount))
        unsafe words.initialize(repeating: 0, count: Self.wordCount(forPages: pageCount))
    }

    deinit { unsafe words.deallocate() }

    private static func wordCount(forPages pageCount: Int) -> Int { (pageCount + 63) / 64 }

    @inline(__always)
    package func bitmapWord(at index: Int) -> UInt64 {
        precondition(index >= 0 && index < Self.wordCount(forPages: pageCount))
        return unsafe words[index]
    }

    package func insertPage(number page: Int) {
        precondition(page >= 0 && page < pageCount)
        mayHavePages = true
        unsafe words[page / 64] |= 1 << UInt64(page % 64)
    }

    package func formUnion(with bits: DirtyBits) {
        precondition(bits.pageCount == pageCount)
        mayHavePages = true
        for index in 0..<Self.wordCount(forPages: pageCount) {
            unsafe words[index] |= bits.bitmapWord(at: index)
        }
    }

    /// The pages whose hashes differ between the two tables.
    package func insertDifferences(of left: PageHashTable, from right: PageHashTable) {
        precondition(left.pageCount == pageCount && right.pageCount == pageCount)
        for page in 0..<pageCount where left[page] != right[page] { insertPage(number: page) }
    }

    package func removeAll() {
        guard mayHavePages else { return }
        unsafe words.update(repeating: 0, count: Self.wordCount(forPages: pageCount))
        mayHavePages = false
    }
}
