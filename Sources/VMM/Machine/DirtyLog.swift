// Which pages changed since they were last cleared: KVM's log, and what the VMM wrote itself.
//
// With KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2 reading keeps the log and clearing is a call of its own, for just
// the pages about to be sent; with INITIALLY_SET a fresh log holds every page, so that write protection
// is also set up piece by piece. Where KVM lacks the first, reading clears: what was read is kept in
// `ownDirtyPages` until it is cleared. Where it lacks the second, those hold every page at the start.

package import Host
import KVM
import Model
import Synchronization
package import VMControl

/// The dirty log of one guest. Calls go one after another.
package final class DirtyLog: Sendable {
    private struct State: Sendable {
        var isOn = false
        /// The connection that started it last: its end stops the log.
        var owner: ConnectionID?
    }

    /// One bit a page, 64-bit little-endian words, bit 0 = first page of the memory file.
    package let bitsFile: Descriptor
    package let bits: Mapping
    private let guest: KVMGuest
    private let memory: GuestMemory
    private let clearsByHand: Bool
    private let startsFull: Bool
    private let state = Mutex(State())

    init(_ guest: KVMGuest, memory: GuestMemory) throws(SystemError) {
        self.guest = guest
        self.memory = memory
        let count = dirtyBitsBytes(pageCount: memory.layout.pageCount)
        bitsFile = try MemoryFile.createFixedSize(name: "ferry-dirty", bytes: count)
        bits = try Mapping(bitsFile, count: count)
        clearsByHand = guest.capabilityValue(of: .manualDirtyLog) & 1 != 0
        startsFull = clearsByHand ? try guest.useManualDirtyLog() : false
    }

    package var isRunning: Bool { state.withLock { $0.isOn } }

    /// Every page is dirty at first. Starting again starts afresh.
    package func startLogging(for owner: ConnectionID? = nil) throws(SystemError) {
        try state.withLock { (state) throws(SystemError) in
            if state.isOn { try setSlotFlags(logsDirtyPages: false) }
            memory.ownDirtyPages.clearAllPages()
            try setSlotFlags(logsDirtyPages: true)
            if !startsFull { memory.ownDirtyPages.markAllPages() }
            state = State(isOn: true, owner: owner)
        }
    }

    package func stopLogging() throws(SystemError) {
        try state.withLock { (state) throws(SystemError) in try stopLogging(in: &state) }
    }

    /// Stops the log if it is this connection's.
    func stopLogging(ifOwnedBy connection: ConnectionID) throws(SystemError) {
        try state.withLock { (state) throws(SystemError) in
            if state.owner == connection { try stopLogging(in: &state) }
        }
    }

    private func stopLogging(in state: inout State) throws(SystemError) {
        if state.isOn { try setSlotFlags(logsDirtyPages: false) }
        state = State()
    }

    /// Writes the log to the shared bits, clears nothing, and returns how many pages are dirty.
    package func fetchDirtyPages() throws(SystemError) -> Int {
        try state.withLock { (state) throws(SystemError) in
            guard state.isOn else { return 0 }
            for (index, slot) in memory.layout.slots.enumerated() {
                let words = unsafe dirtyBitWords(of: slot)
                try unsafe guest.readDirtyLog(
                    slot: index, into: UnsafeMutableRawBufferPointer(words))
                if !clearsByHand {
                    unsafe memory.ownDirtyPages.insertPages(
                        from: UnsafeBufferPointer(words), startingAtWord: slot.pages.lowerBound / 64
                    )
                }
            }
            return unsafe memory.ownDirtyPages.mergePages(into: allWords)
        }
    }

    /// Clears the pages of the range that are set in the shared bits.
    ///
    /// - Precondition: the range lies in memory; its start is a multiple of 64, its end too or memory's end.
    package func clearPages(in pages: Range<Int>) throws(SystemError) {
        try state.withLock { (state) throws(SystemError) in
            guard state.isOn, !pages.isEmpty else { return }
            let wordRange = pages.lowerBound / 64..<(pages.upperBound + 63) / 64
            unsafe memory.ownDirtyPages.clearPages(in: allWords, words: wordRange)
            guard clearsByHand else { return }
            for (index, slot) in memory.layout.slots.enumerated() {
                let part = pages.clamped(to: slot.pages)
                try clearPages(in: part, slotIndex: index, slot: slot)
            }
        }
    }

    /// KVM holds a lock that page faults need while it clears: small pieces let vCPUs in between.
    private func clearPages(
        in pages: Range<Int>, slotIndex index: Int, slot: MemorySlot
    ) throws(SystemError) {
        var first = pages.lowerBound
        while first < pages.upperBound {
            let count = min(Limits.clearedPagesMax, pages.upperBound - first)
            try unsafe guest.clearDirtyLog(
                slot: index, firstPage: first - slot.pages.lowerBound, count: count,
                bits: bits.base + first / 8)
            first += count
        }
    }

    private func setSlotFlags(logsDirtyPages logs: Bool) throws(SystemError) {
        for (index, slot) in memory.layout.slots.enumerated() {
            try unsafe guest.setMemory(
                slot: index, guestAddress: slot.guestAddress, memory: memory.mappedBytes(of: slot),
                logsDirtyPages: logs)
        }
    }

    private var allWords: UnsafeMutableBufferPointer<UInt64> {
        unsafe bits.bytes.bindMemory(to: UInt64.self)
    }

    /// A slot's bits. Slots have whole words: memory is a multiple of 2 MiB.
    private func dirtyBitWords(of slot: MemorySlot) -> UnsafeMutableBufferPointer<UInt64> {
        let range = slot.pages.lowerBound / 64..<slot.pages.upperBound / 64
        return unsafe UnsafeMutableBufferPointer(rebasing: allWords[range])
    }
}
