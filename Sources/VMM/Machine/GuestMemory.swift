// The guest's RAM: a memory file that the agent maps too, and what this process writes to it.
//
// KVM's dirty log sees what the guest writes. What the VMM writes goes past KVM, so every write here marks
// its pages in `ownDirtyPages`.

package import Host
package import Model

/// All RAM of one guest.
@safe package final class GuestMemory: Sendable {
    package let layout: GuestMemoryLayout
    package let file: Descriptor
    package let mapping: Mapping
    let ownDirtyPages: OwnDirtyPages

    package init(_ layout: GuestMemoryLayout, hugePages: Bool) throws(SystemError) {
        self.layout = layout
        let count = Int(layout.memory.bytes)
        file = try MemoryFile.createFixedSize(
            name: "ferry-guest", bytes: count, hugePages: hugePages)
        mapping = try Mapping(file, count: count)
        ownDirtyPages = OwnDirtyPages(pageCount: layout.pageCount)
    }

    /// The host's view of a slot.
    func mappedBytes(of slot: MemorySlot) -> UnsafeMutableRawBufferPointer {
        let start = Int(slot.fileOffset)
        return unsafe UnsafeMutableRawBufferPointer(
            rebasing: mapping.bytes[start..<(start + Int(slot.bytes))])
    }

    /// Calls with the host's view of a guest physical range for writing; nil when it is not all RAM.
    ///
    /// Marked dirty after the writing: a migration that clears the mark first and copies then must not have
    /// copied what was there before.
    func withWritableBytes<Value, Failure: Error>(
        at address: UInt64, count: Int,
        body: (UnsafeMutableRawBufferPointer) throws(Failure) -> Value
    ) throws(Failure) -> Value? {
        guard let offset = layout.fileOffset(ofGuestAddress: address, count: UInt64(count)) else {
            return nil
        }
        let start = Int(offset)
        defer {
            if count > 0 {
                ownDirtyPages.markPages(in: start / pageBytes...(start + count - 1) / pageBytes)
            }
        }
        return try unsafe body(
            UnsafeMutableRawBufferPointer(rebasing: mapping.bytes[start..<(start + count)]))
    }

    /// False, and nothing written, when the range is not all RAM.
    @discardableResult
    package func writeBytes(_ bytes: some Collection<UInt8>, at address: UInt64) -> Bool {
        unsafe withWritableBytes(at: address, count: bytes.count) {
            unsafe $0.copyBytes(from: bytes)
        }
            != nil
    }

    @discardableResult
    func zeroBytes(at address: UInt64, count: Int) -> Bool {
        unsafe withWritableBytes(at: address, count: count) {
            _ = unsafe $0.initializeMemory(as: UInt8.self, repeating: 0)
        } != nil
    }

    /// A copy of guest memory; nil when the range is not all RAM.
    package func readBytes(at address: UInt64, count: Int) -> [UInt8]? {
        guard let offset = layout.fileOffset(ofGuestAddress: address, count: UInt64(count)) else {
            return nil
        }
        return unsafe Array(mapping.bytes[Int(offset)..<(Int(offset) + count)])
    }
}
