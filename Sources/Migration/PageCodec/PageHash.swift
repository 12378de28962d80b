// The hash of one page, and its term in the digest of a memory.
//
// The digest is a sum: when a page changes, its old term is subtracted and its new term is added. So updating the
// digest costs the same for every page, and the order in which streams deliver does not matter. A term depends on the
// page's number and on its hash, so exchanging two pages changes the digest.
//
// Equal digests prove that every page of the destination, when it arrived, was what the source sent last for that page,
// and that none is missing. They do not prove that the source sent a page again after its last change (which depends on
// the dirty log), nor that the destination's memory was not changed after the page arrived.

import CXXHash
package import Model

/// 128 bits of a page, by XXH3 with the migration's seed.
package struct PageHash: Hashable, Sendable {
    package var low: UInt64
    package var high: UInt64

    package init(low: UInt64, high: UInt64) {
        self.low = low
        self.high = high
    }

    /// Means "never sent" in a table; a page has this hash by chance once in 2^128.
    package static let none = PageHash(low: 0, high: 0)
    /// The hash of every zero page, without reading it: a constant, so that it needs no seed.
    package static let zeroPage = PageHash(low: 0x9E37_79B9_7F4A_7C15, high: 0xD1B5_4A32_D192_ED03)

    /// The hash of `pageBytes` bytes that do not change meanwhile and that are not all zero.
    @inline(__always)
    package init(page: UnsafeRawPointer, seed: UInt64) {
        let hash = unsafe ferry_xxh3_128(page, pageBytes, seed)
        low = hash.low64
        high = hash.high64
    }

    /// The term of a page in the digest; `none` has no term.
    @inline(__always)
    package func digestTerm(ofPage index: Int) -> MemoryDigest {
        if self == .none { return .empty }
        let page = UInt64(truncatingIfNeeded: index) &+ 1
        return MemoryDigest(
            low: avalancheMix(word: low ^ (page &* 0x9FB2_1C65_1E98_DF25)),
            high: avalancheMix(word: high ^ (page &* 0xC2B2_AE3D_27D4_EB4F)))
    }
}

/// Every bit of the result depends on every bit of the word (the finalizer of MurmurHash3).
@inline(__always)
private func avalancheMix(word: UInt64) -> UInt64 {
    var word = word
    word ^= word >> 33
    word &*= 0xFF51_AFD7_ED55_8CCD
    word ^= word >> 33
    word &*= 0xC4CE_B9FE_1A85_EC53
    return word ^ (word >> 33)
}
