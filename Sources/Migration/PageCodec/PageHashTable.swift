// The hash of every page as it was last sent or as it arrived: 16 bytes per page, at both ends.

package import Model

/// One hash per page. Streams own disjoint chunks, so only one thread uses an entry at a time.
@safe package final class PageHashTable: @unchecked Sendable {
    /// `@unchecked`: only the stream that owns a chunk accesses its entries.
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

    /// Sets a page's new hash; returns the resulting change of the digest.
    @inline(__always)
    package func replaceHash(ofPage page: Int, with hash: PageHash) -> MemoryDigest {
        let old = self[page]
        self[page] = hash
        return hash.digestTerm(ofPage: page) - old.digestTerm(ofPage: page)
    }

    /// The terms of a stream's chunks in the digest, recomputed.
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

    /// The digest of all entries, recomputed.
    package var digest: MemoryDigest {
        var digest = MemoryDigest.empty
        for page in 0..<pageCount { digest = digest + self[page].digestTerm(ofPage: page) }
        return digest
    }
}

/// The digest of the current memory: hashes every page again. The memory must not be written meanwhile.
package func computeMemoryDigest(of memory: UnsafeRawBufferPointer, seed: UInt64) -> MemoryDigest {
    var digest = MemoryDigest.empty
    for page in 0..<(memory.count / pageBytes) {
        guard let bytes = unsafe memory.baseAddress?.advanced(by: page * pageBytes) else { break }
        let hash = unsafe isZeroPage(at: bytes) ? .zeroPage : PageHash(page: bytes, seed: seed)
        digest = digest + hash.digestTerm(ofPage: page)
    }
    return digest
}
