// A guest without KVM: memory in a memory file, a dirty log in software, a thread that writes pages.

import Glibc
package import Host
package import Migration
package import Model
import Synchronization

/// What a fake guest's memory holds at first.
package enum FakeContent: Sendable {
    case zero, text, random
}

/// Both ends' guest: its memory, and what was done to it.
@safe package final class FakeGuest: SourceGuest, DestinationGuest {
    package struct State: Sendable {
        package var log: [UInt64] = []
        package var isLogging = false
        package var isRunning = false
        package var isSealed = false
        package var isDiscarded = false
        package var loaded: [UInt8]?
        package var throttlePercent = 0
        package var calls: [String] = []
        package var pagesWritten = 0
        /// Writes to it are not noted.
        package var lostPage: Int?
    }

    package let spec: VMSpec
    package let cpuFeatures: CPUFeatures
    package let layout: GuestMemoryLayout
    package let memory: Mapping
    package let memoryFile: Descriptor
    package let dirtyBits: Mapping
    package let savedState: [UInt8]
    /// May throw instead of doing what the call of that name does.
    package let onCall: @Sendable (String) throws(GuestError) -> Void
    private let state: Mutex<State>
    private let writer = Mutex<NamedThread?>(nil)
    private let writerStops = Atomic<Bool>(false)

    package init(
        name: String = "guest", memory bytes: ByteCount, isRunning: Bool = true,
        downtimeLimit: Duration = .seconds(1), stateBytes: Int = 20_000,
        cpuFeatures: CPUFeatures = CPUFeatures(["fpu", "sse2"]),
        onCall: @escaping @Sendable (String) throws(GuestError) -> Void = { _ in }
    ) throws {
        guard let layout = GuestMemoryLayout(memory: bytes) else {
            throw TestFailure("no layout for \(bytes)")
        }
        self.layout = layout
        self.onCall = onCall
        spec = VMSpec(
            name: try VMName(name), memory: bytes,
            downtimeLimit: DowntimeLimit(downtimeLimit))
        self.cpuFeatures = cpuFeatures
        memoryFile = try MemoryFile.createFixedSize(name: "fake-guest", bytes: Int(bytes.bytes))
        memory = try Mapping(memoryFile, count: Int(bytes.bytes))
        let words = (layout.pageCount + 63) / 64
        let bitsFile = try MemoryFile.createFixedSize(name: "fake-bits", bytes: words * 8)
        dirtyBits = try Mapping(bitsFile, count: words * 8)
        savedState = (0..<stateBytes).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        var state = State()
        state.log = [UInt64](repeating: 0, count: words)
        state.isRunning = isRunning
        self.state = Mutex(state)
    }

    deinit { stopWriting() }

    package var now: State { state.withLock { $0 } }

    package func checkIsReady() throws(GuestError) { try call("checkIsReady") }

    // MARK: Source

    package func startDirtyLog() throws(GuestError) {
        try call("startDirtyLog")
        state.withLock {
            $0.isLogging = true
            for word in $0.log.indices { $0.log[word] = .max }
            let rest = layout.pageCount % 64
            if rest > 0 { $0.log[$0.log.count - 1] = (1 << UInt64(rest)) - 1 }
        }
    }

    package func fetchDirtyLog() throws(GuestError) -> Int {
        try call("fetchDirtyLog")
        return state.withLock {
            var count = 0
            for (index, word) in $0.log.enumerated() {
                unsafe dirtyBits.base.storeBytes(of: word, toByteOffset: index * 8, as: UInt64.self)
                count += word.nonzeroBitCount
            }
            return count
        }
    }

    package func clearDirtyLog(pages: Range<Int>) throws(GuestError) {
        try call("clearDirtyLog")
        state.withLock {
            for word in (pages.lowerBound / 64)..<((pages.upperBound + 63) / 64) {
                $0.log[word] &=
                    ~(unsafe dirtyBits.base.load(fromByteOffset: word * 8, as: UInt64.self))
            }
        }
    }

    package func stopDirtyLog() throws(GuestError) {
        try call("stopDirtyLog")
        state.withLock { $0.isLogging = false }
    }

    package func throttleVCPUs(percent: Int) throws(GuestError) {
        try call("throttle")
        state.withLock { $0.throttlePercent = percent }
    }

    package func pauseForHandover() throws(GuestError) {
        try call("pauseForHandover")
        state.withLock { $0.isRunning = false }
    }

    package func saveState() throws(GuestError) -> [UInt8] {
        try call("saveState")
        return savedState
    }

    package func sealForHandover() throws(GuestError) {
        try call("seal")
        state.withLock { $0.isSealed = true }
    }

    package func resumeExecution() throws(GuestError) {
        try call("resume")
        state.withLock { $0.isRunning = true }
    }

    // MARK: Destination

    package func loadDeviceState(from bytes: [UInt8]) throws(GuestError) {
        try call("loadState")
        state.withLock { $0.loaded = bytes }
    }

    package func discardGuest() { state.withLock { $0.isDiscarded = true } }

    private func call(_ name: String) throws(GuestError) {
        state.withLock { $0.calls.append(name) }
        try onCall(name)
    }

    // MARK: The guest's own work

    /// Fills pages with content, each page its own.
    package func fill(_ pages: Range<Int>, _ content: FakeContent) {
        for page in pages { writePage(page, content, version: 0) }
    }

    /// Writes pages of a working set in turn, so many a second, until `stopWriting`.
    package func startWriting(
        pages: Range<Int>, perSecond: Int, _ content: FakeContent = .text
    ) throws {
        writerStops.store(false, ordering: .releasing)
        let thread = try NamedThread(name: "fake-writer") { [unowned self] in
            let start = Instant.now
            var written = 0
            var version = 1
            while !writerStops.load(ordering: .acquiring) {
                let percent = state.withLock { 100 - $0.throttlePercent }
                let due = Int((Instant.now - start).seconds * Double(perSecond * percent / 100))
                while written < due, !writerStops.load(ordering: .acquiring) {
                    let page = pages.lowerBound + written % pages.count
                    if written % pages.count == 0 { version += 1 }
                    writeIfRunning(page, content, version)
                    written += 1
                }
                usleep(500)
            }
        }
        writer.withLock { $0 = thread }
    }

    package func stopWriting() {
        writerStops.store(true, ordering: .releasing)
        let thread = writer.withLock { $0.take() }
        thread?.joinThread()
    }

    private func writeIfRunning(_ page: Int, _ content: FakeContent, _ version: Int) {
        state.withLock {
            guard $0.isRunning else { return }
            writePage(page, content, version: version)
            $0.pagesWritten += 1
            // After the write, as a log must: whoever clears this bit reads the page afterwards.
            if $0.isLogging, page != $0.lostPage { $0.log[page / 64] |= 1 << UInt64(page % 64) }
        }
    }

    private func writePage(_ page: Int, _ content: FakeContent, version: Int) {
        let target = unsafe memory.base.advanced(by: page * pageBytes)
        switch content {
        case .zero: unsafe target.initializeMemory(as: UInt8.self, repeating: 0, count: pageBytes)
        case .random:
            var word = UInt64(page) &* 0x9E37_79B9_7F4A_7C15 &+ UInt64(version) | 1
            for offset in stride(from: 0, to: pageBytes, by: 8) {
                word ^= word << 13
                word ^= word >> 7
                word ^= word << 17
                unsafe target.storeBytes(of: word, toByteOffset: offset, as: UInt64.self)
            }
        case .text:
            // Words of a small vocabulary: compresses about as logs and source do.
            var seed = UInt64(page) &* 0x9E37_79B9_7F4A_7C15 &+ UInt64(version) | 1
            for offset in stride(from: 0, to: pageBytes, by: 8) {
                seed ^= seed << 13
                seed ^= seed >> 7
                seed ^= seed << 17
                let word = vocabulary[Int(seed % UInt64(vocabulary.count))]
                unsafe target.storeBytes(of: word, toByteOffset: offset, as: UInt64.self)
            }
            unsafe target.storeBytes(of: UInt64(page), toByteOffset: 0, as: UInt64.self)
            unsafe target.storeBytes(of: UInt64(version), toByteOffset: 8, as: UInt64.self)
        }
    }

    /// The log is broken: it does not see writes to this page.
    package func losePage(_ page: Int) { state.withLock { $0.lostPage = page } }

    /// Behind everybody's back.
    package func flipBit(ofPage page: Int) {
        let place = unsafe memory.base.advanced(by: page * pageBytes + 100)
        unsafe place.storeBytes(of: place.load(as: UInt8.self) ^ 4, as: UInt8.self)
    }

    /// The first page that differs from another guest's, nil when memory is equal.
    package func firstDifference(from other: FakeGuest) -> Int? {
        for page in 0..<layout.pageCount {
            let here = unsafe memory.base.advanced(by: page * pageBytes)
            let there = unsafe other.memory.base.advanced(by: page * pageBytes)
            if unsafe memcmp(here, there, pageBytes) != 0 { return page }
        }
        return nil
    }
}

/// 512 words of eight letters each.
private let vocabulary: [UInt64] = (0..<512).map { index in
    var seed = UInt64(index) &* 0xD134_2543_DE82_EF95 &+ 1
    var word: UInt64 = 0
    for position in 0..<8 {
        seed = seed &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        let letter = position == 7 ? 0x20 : 0x61 + (seed >> 33) % 26
        word |= letter << UInt64(position * 8)
    }
    return word
}
