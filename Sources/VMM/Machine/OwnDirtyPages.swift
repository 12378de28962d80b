// The pages that the VMM itself has written, or that KVM's log no longer remembers, since they were cleared.

import Synchronization

/// One bit a page, 64-bit words, bit 0 = first page of the memory file: as in the shared dirty bits.
final class OwnDirtyPages: Sendable {
    private let words: Mutex<[UInt64]>
    private let pageCount: Int

    init(pageCount: Int) {
        self.pageCount = pageCount
        words = Mutex([UInt64](repeating: 0, count: (pageCount + 63) / 64))
    }

    func markPages(in pages: ClosedRange<Int>) {
        words.withLock { words in
            for page in pages { words[page / 64] |= 1 << UInt64(page % 64) }
        }
    }

    func markAllPages() {
        words.withLock { words in
            for index in words.indices { words[index] = .max }
            let rest = pageCount % 64
            if rest > 0 { words[words.count - 1] = (1 << UInt64(rest)) - 1 }
        }
    }

    func clearAllPages() {
        words.withLock { words in
            for index in words.indices { words[index] = 0 }
        }
    }

    /// Adds these pages to those in `bits` and returns how many bits are set there then.
    func mergePages(into bits: UnsafeMutableBufferPointer<UInt64>) -> Int {
        words.withLock { words in
            var count = 0
            for index in words.indices {
                unsafe bits[index] |= words[index]
                count += unsafe bits[index].nonzeroBitCount
            }
            return count
        }
    }

    /// Takes in the pages that are set in `bits`, from this word on.
    func insertPages(from bits: UnsafeBufferPointer<UInt64>, startingAtWord first: Int) {
        words.withLock { words in
            for index in bits.indices { words[first + index] |= unsafe bits[index] }
        }
    }

    /// Forgets the pages of some words that are set in `bits`.
    func clearPages(in bits: UnsafeMutableBufferPointer<UInt64>, words range: Range<Int>) {
        words.withLock { words in
            for index in range { words[index] &= ~(unsafe bits[index]) }
        }
    }
}
