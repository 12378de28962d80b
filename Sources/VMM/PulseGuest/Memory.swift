/// The guest's memory: which of it may be filled, and where page number p of the filled area lies.
///
/// Page numbers run through the usable ranges above the image one after the other, so they skip the
/// hole below 4 GiB. What the guest itself needs (page tables, version table) is taken from the
/// start of the first range.
struct Memory {
    static let pageBytes: UInt64 = 4096
    private static let rangesMax = 16
    /// One page directory pointer table reaches 512 GiB.
    private static let addressMax: UInt64 = 512 << 30

    private var ranges = InlineArray<16, StartInfo.Range>(
        repeating: StartInfo.Range(start: 0, end: 0))
    private var rangeCount = 0
    private(set) var totalBytes: UInt64 = 0

    init(_ startInfo: StartInfo) {
        let low = Memory.roundUpToPage(image_end())
        startInfo.forEachUsableRange { range in
            let end = min(range.end, Memory.addressMax) & ~(Memory.pageBytes - 1)
            totalBytes += range.end - range.start
            addRange(StartInfo.Range(start: max(Memory.roundUpToPage(range.start), low), end: end))
        }
    }

    private mutating func addRange(_ range: StartInfo.Range) {
        guard range.start < range.end, rangeCount < Memory.rangesMax else { return }
        ranges[rangeCount] = range
        rangeCount += 1
    }

    private static func roundUpToPage(_ address: UInt64) -> UInt64 {
        (address + pageBytes - 1) & ~(pageBytes - 1)
    }

    /// Pages that can be filled.
    var freePages: UInt64 {
        var pages: UInt64 = 0
        for index in 0..<rangeCount {
            pages += (ranges[index].end - ranges[index].start) / Memory.pageBytes
        }
        return pages
    }

    /// Takes zeroed pages for the guest's own use; nil if the first range is too small.
    mutating func allocatePages(bytes: UInt64) -> UnsafeMutableRawPointer? {
        let size = Memory.roundUpToPage(bytes)
        guard rangeCount > 0, ranges[0].end - ranges[0].start >= size,
            let pointer = UnsafeMutableRawPointer(bitPattern: UInt(ranges[0].start))
        else { return nil }
        ranges[0].start += size
        pointer.initializeMemory(as: UInt8.self, repeating: 0, count: Int(size))
        return pointer
    }

    /// Where a page of the filled area lies. Ranges are few: a walk costs less than a table.
    func pageAddress(number page: UInt64) -> UnsafeMutablePointer<UInt64> {
        var remaining = page
        for index in 0..<rangeCount {
            let start = ranges[index].start
            let pages = (ranges[index].end - start) / Memory.pageBytes
            if remaining < pages {
                return UnsafeMutablePointer(bitPattern: UInt(start + remaining * Memory.pageBytes))!
            }
            remaining -= pages
        }
        fatalError()
    }

    /// Makes all ranges, and the page of the local APIC, accessible. The first GiB is there from
    /// the start, so the tables taken here can be written; an entry that was absent needs no flush.
    mutating func mapAllRanges() -> Bool {
        for index in 0..<rangeCount {
            var gib = ranges[index].start >> 30
            while gib << 30 < ranges[index].end {
                guard mapGibibyte(number: gib) else { return false }
                gib += 1
            }
        }
        return mapGibibyte(number: APIC.address >> 30, devicesFrom: APIC.address)
    }

    private mutating func mapGibibyte(number gib: UInt64, devicesFrom device: UInt64 = .max) -> Bool
    {
        let directories = page_directories()!
        if directories[Int(gib)] == 0 {
            guard let table = allocatePages(bytes: Memory.pageBytes) else { return false }
            directories[Int(gib)] = UInt64(UInt(bitPattern: table)) | 7
        }
        let table = UnsafeMutablePointer<UInt64>(bitPattern: UInt(directories[Int(gib)] & ~4095))!
        for entry in 0..<512 {
            let address = gib << 30 + UInt64(entry) << 21
            if address + 2 << 20 > device, address <= device {
                table[entry] = address | 0x9f  // 2 MiB, uncached, user, writable, present
            } else if table[entry] == 0, containsMemory(at: address) {
                table[entry] = address | 0x87
            }
        }
        return true
    }

    private func containsMemory(at address: UInt64) -> Bool {
        for index in 0..<rangeCount
        where ranges[index].start < address + 2 << 20 && address < ranges[index].end {
            return true
        }
        return false
    }
}
