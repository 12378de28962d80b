// Tables of hashes as they travel, their parts of the digest, and sets of pages.

import Model
import PageCodec
import Testing

@Suite("Page tables")
struct PageTableTests {
    private func table(_ pageCount: Int, _ pages: [Int]) -> PageHashTable {
        let table = PageHashTable(pageCount: pageCount)
        for page in pages { table[page] = PageHash(low: UInt64(page) + 1, high: ~UInt64(page)) }
        return table
    }

    @Test func `Hashes travel as bytes, and only of chunks that hold a page`() {
        let sent = table(512 * 12 + 100, [0, 511, 1024, 5000, 512 * 12 + 99])
        let ranges = sent.presentRanges(pagesMax: 1024)
        #expect(ranges == [0..<512, 1024..<1536, 4608..<5120, 6144..<6244])
        let received = PageHashTable(pageCount: sent.pageCount)
        for pages in ranges {
            let bytes = sent.encodedBytes(of: pages)
            #expect(bytes.count == pages.count * 16)
            received.decodeEntries(from: bytes, firstPage: pages.lowerBound)
        }
        #expect((0..<sent.pageCount).allSatisfy { sent[$0] == received[$0] })
    }

    @Test func `A message is never longer than it may be`() {
        let full = table(512 * 20, (0..<20).map { $0 * 512 })
        let ranges = full.presentRanges(pagesMax: 4096)
        #expect(ranges == [0..<4096, 4096..<8192, 8192..<10240])
    }

    @Test(arguments: 1...5)
    func `Streams' parts of the digest add up to it`(_ streams: Int) {
        let table = table(512 * 7 + 3, Array(0..<3000) + [3586])
        let sum = (0..<streams).reduce(MemoryDigest.empty) {
            $0 + table.partialDigest(ofStream: $1, streamCount: streams)
        }
        #expect(sum == table.digest)
    }

    @Test func `A set holds pages that differ, until it is emptied`() {
        let left = table(200, [1, 2, 199])
        let right = table(200, [2, 64])
        let pages = PageSet(pageCount: 200)
        #expect(!pages.mayHavePages)
        pages.insertDifferences(of: left, from: right)
        #expect(pages.mayHavePages)
        #expect(
            pages.bitmapWord(at: 0) == 1 << 1 && pages.bitmapWord(at: 1) == 1
                && pages.bitmapWord(at: 3) == 1 << 7)
        pages.removeAll()
        #expect((0..<4).allSatisfy { pages.bitmapWord(at: $0) == 0 } && !pages.mayHavePages)
    }
}
