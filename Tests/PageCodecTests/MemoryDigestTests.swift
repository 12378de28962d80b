// The digest of a memory: what it depends on, and what it does not.

import Model
import PageCodec
import Testing

@Suite("Memory digest")
struct MemoryDigestTests {
    let hashes = (1...6).map { PageHash(low: UInt64($0) &* 77, high: UInt64($0) &* 1234567) }

    @Test func `The order in which pages arrive does not matter`() {
        let table = PageHashTable(pageCount: 6)
        let other = PageHashTable(pageCount: 6)
        var digest = MemoryDigest.empty
        var otherDigest = MemoryDigest.empty
        for page in 0..<6 { digest = digest + table.replaceHash(ofPage: page, with: hashes[page]) }
        for page in (0..<6).reversed() {
            otherDigest = otherDigest + other.replaceHash(ofPage: page, with: hashes[page])
        }
        #expect(digest == otherDigest)
        #expect(digest == table.digest)
    }

    @Test func `Replacing a page leaves no trace of its older copies`() {
        let table = PageHashTable(pageCount: 2)
        var digest = MemoryDigest.empty
        for version in 0..<6 {
            digest = digest + table.replaceHash(ofPage: 1, with: hashes[version])
        }
        let fresh = PageHashTable(pageCount: 2)
        #expect(digest == fresh.replaceHash(ofPage: 1, with: hashes[5]))
    }

    @Test func `Two pages that change places change the digest`() {
        let left = hashes[0].digestTerm(ofPage: 3) + hashes[1].digestTerm(ofPage: 4)
        let right = hashes[1].digestTerm(ofPage: 3) + hashes[0].digestTerm(ofPage: 4)
        #expect(left != right)
    }

    @Test func `A page that never came differs from a page of zeros`() {
        #expect(PageHash.none.digestTerm(ofPage: 7) == .empty)
        #expect(PageHash.zeroPage.digestTerm(ofPage: 7) != .empty)
        #expect(PageHash.zeroPage.digestTerm(ofPage: 7) != PageHash.zeroPage.digestTerm(ofPage: 8))
    }

    @Test func `The same hash at other pages has other terms`() {
        var terms: Set<MemoryDigest> = []
        for page in 0..<10_000 { terms.insert(hashes[0].digestTerm(ofPage: page)) }
        #expect(terms.count == 10_000)
    }

    @Test func `The seed changes every hash`() {
        let pages = Pages(1)
        var generator = SplitMix64(seed: 5)
        pages[0] = text(&generator)
        #expect(pages.digest(seed: 1) != pages.digest(seed: 2))
    }

    @Test func `Every flipped bit of a page is seen`() {
        let pages = Pages(1)
        var generator = SplitMix64(seed: 6)
        pages[0] = text(&generator)
        let digest = pages.digest(seed: 9)
        for _ in 0..<500 {
            let bit = Int(generator.next() % UInt64(pageBytes * 8))
            unsafe pages.bytes[bit / 8] ^= 1 << UInt8(bit % 8)
            #expect(pages.digest(seed: 9) != digest)
            unsafe pages.bytes[bit / 8] ^= 1 << UInt8(bit % 8)
        }
        #expect(pages.digest(seed: 9) == digest)
    }

    @Test func `One bit anywhere makes a page not zero`() {
        let pages = Pages(1)
        #expect(unsafe isZeroPage(at: pages.base))
        for bit in stride(from: 0, to: pageBytes * 8, by: 61) {
            unsafe pages.bytes[bit / 8] = 1 << UInt8(bit % 8)
            #expect(unsafe !isZeroPage(at: pages.base))
            unsafe pages.bytes[bit / 8] = 0
        }
    }
}
