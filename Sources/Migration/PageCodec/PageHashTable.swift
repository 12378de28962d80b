// The hash of every page as it was last sent or as it landed: 16 bytes a page, at both ends.

package import Model

/// One hash a page. Streams own disjoint chunks, so each entry has one thread at a time.
@safe package final class PageHashTable: @unchecked Sendable {
    /// `@unchecked`: the stream that owns a chunk is the only one to touch its entries.
    private let entries: UnsafeMutablePointer<PageHash>
    package let pageCount: Int

    package init(pageCount: Int) {
        self.pageCount = pageCount
        unsafe entries = .allocate(capacity: pageCount)
        unsafe entries.initialize(repeating: .none, count: pageCount)
    }

    deinit { unsafe entries.deallocate() }

    package subscript(page: Int) -> PageHash {
        @inline(__always) get {
            precondition(page >= 0 && page < pageCount)
            return unsafe entries[page]
        }
        @inline(__always) set {
            precondition(page >= 0 && page < pageCount)
            unsafe entries[page] = newValue
        }
    }

    /// Puts in a page's new hash; returns what that adds to the root.
    @inline(__always)
    package func replace(_ page: Int, with hash: PageHash) -> MemoryRoot {
        let old = self[page]
        self[page] = hash
        return hash.term(ofPage: page) - old.term(ofPage: page)
    }

    /// What a stream's chunks add to the root, added up afresh.
    package func root(ofStream stream: Int, of streams: Int) -> MemoryRoot {
        var root = MemoryRoot.empty
        let step = streams * Limits.chunkPages
        for first in stride(from: stream * Limits.chunkPages, to: pageCount, by: step) {
            for page in first..<min(first + Limits.chunkPages, pageCount) {
                root = root + self[page].term(ofPage: page)
            }
        }
        return root
    }

    /// The root of all entries, added up afresh.
    package var root: MemoryRoot {
        var root = MemoryRoot.empty
        for page in 0..<pageCount { root = root + self[page].term(ofPage: page) }
        return root
    }
}

/// The root of a memory as it is now: hashes every page again. Nobody may write to it meanwhile.
package func rootOfMemory(_ memory: UnsafeRawBufferPointer, seed: UInt64) -> MemoryRoot {
    var root = MemoryRoot.empty
    for page in 0..<(memory.count / pageBytes) {
        guard let bytes = unsafe memory.baseAddress?.advanced(by: page * pageBytes) else { break }
        let hash = unsafe isZeroPage(bytes) ? .zeroPage : PageHash(page: bytes, seed: seed)
        root = root + hash.term(ofPage: page)
    }
    return root
}
