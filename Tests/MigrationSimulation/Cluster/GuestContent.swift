// What a VM's memory ought to hold: the one truth that both hosts' copies are compared with.
//
// A guest writes to a few hundred pages of its memory, so many a second of virtual time. What is in a page follows
// from its number and how often it was written, so that it can be checked without a copy.

import Glibc
import Host
import Model

final class GuestContent {
    /// The pages that are ever written, ascending.
    let pages: [Int]
    private let seed: UInt64
    private var versions: [UInt32]
    private let working: Range<Int>
    private var written: UInt64 = 0
    private var scratch = [UInt64](repeating: 0, count: pageBytes / 8)

    init(pages: [Int], working: Int, seed: UInt64) {
        self.pages = pages
        self.seed = seed
        versions = pages.map { _ in 0 }
        self.working = 0..<max(1, min(working, pages.count))
    }

    /// Everything as it is now.
    func fill(_ memory: Mapping) {
        for index in pages.indices { write(index, to: memory, whole: true) }
    }

    /// The guest writes its next page; returns which.
    func writeNext(to memory: Mapping) -> Int {
        var choice = SeededRandom(seed: seed &+ written)
        written += 1
        let index = Int(choice.next() % UInt64(working.count))
        let wasZero = isZero(index)
        versions[index] += 1
        write(index, to: memory, whole: wasZero || isZero(index))
        return pages[index]
    }

    /// The first page that is not what the guest wrote last.
    func firstDifference(in memory: Mapping) -> Int? {
        for index in pages.indices {
            compose(index)
            let place = unsafe memory.base.advanced(by: pages[index] * pageBytes)
            let isSame = unsafe scratch.withUnsafeBytes {
                unsafe memcmp(place, $0.baseAddress!, pageBytes) == 0
            }
            if !isSame { return pages[index] }
        }
        return nil
    }

    private func isZero(_ index: Int) -> Bool { (versions[index] &+ UInt32(index)) % 7 == 6 }

    private func write(_ index: Int, to memory: Mapping, whole: Bool) {
        let place = unsafe memory.base.advanced(by: pages[index] * pageBytes)
        if whole {
            compose(index)
            unsafe scratch.withUnsafeBytes {
                unsafe place.copyMemory(from: $0.baseAddress!, byteCount: pageBytes)
            }
        } else {
            for (offset, word) in marks(index) {
                unsafe place.storeBytes(of: word, toByteOffset: offset, as: UInt64.self)
            }
        }
    }

    private func compose(_ index: Int) {
        let base = isZero(index) ? 0 : SeededRandom.mixed(seed, UInt64(pages[index]))
        for word in scratch.indices { scratch[word] = base &* UInt64(word & 31) }
        if isZero(index) { return }
        for (offset, word) in marks(index) { scratch[offset / 8] = word }
    }

    /// What changes from version to version.
    private func marks(_ index: Int) -> [(offset: Int, word: UInt64)] {
        let word = UInt64(pages[index]) << 32 | UInt64(versions[index]) | 1 << 63
        return [(0, word), (2048, word &* 3), (4088, ~word)]
    }
}

extension SeededRandom {
    static func mixed(_ left: UInt64, _ right: UInt64) -> UInt64 {
        var random = SeededRandom(seed: left ^ (right &* 0xD6E8_FEB8_6659_FD93))
        return random.next() | 1
    }
}
