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

    /// Puts in a page's new hash; returns what that adds to the digest.
    @inline(__always)
    package func replaceHash(ofPage page: Int, with hash: PageHash) -> MemoryDigest {
        let old = self[page]
        self[page] = hash
        return hash.digestTerm(ofPage: page) - old.digestTerm(ofPage: page)
    }

    /// What a stream's chunks add to the digest, added up afresh.
    package func partialDigest(ofStream stream: Int, streamCount streams: Int) -> MemoryDigest {
        var digest = MemoryDigest.empty
        let step = streams * Limits.chunkPages
        for first in stride(from: stream * Limits.chunkPages, to: pageCount, by: step) {
            for page in first..<min(first + Limits.chunkPages, pageCount) {
                digest = digest + self[page].digestTerm(ofPage: page)
            }
        }
        return digest
    }

    /// The digest of all entries, added up afresh.
    package var digest: MemoryDigest {
        var digest = MemoryDigest.empty
        for page in 0..<pageCount { digest = digest + self[page].digestTerm(ofPage: page) }
        return digest
    }
}

/// The digest of a memory as it is now: hashes every page again. Nobody may write to it meanwhile.
package func computeMemoryDigest(of memory: UnsafeRawBufferPointer, seed: UInt64) -> MemoryDigest {
    var digest = MemoryDigest.empty
    for page in 0..<(memory.count / pageBytes) {
        guard let bytes = unsafe memory.baseAddress?.advanced(by: page * pageBytes) else { break }
        let hash = unsafe isZeroPage(at: bytes) ? .zeroPage : PageHash(page: bytes, seed: seed)
        digest = digest + hash.digestTerm(ofPage: page)
    }
    return digest
}
