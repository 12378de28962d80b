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
        file = try MemoryFile.create(name: "ferry-guest", bytes: count, hugePages: hugePages)
        mapping = try Mapping(file, count: count)
        ownDirtyPages = OwnDirtyPages(pageCount: layout.pageCount)
    }

    /// The host's view of a slot.
    func bytes(of slot: MemorySlot) -> UnsafeMutableRawBufferPointer {
        let start = Int(slot.fileOffset)
        return unsafe UnsafeMutableRawBufferPointer(
            rebasing: mapping.bytes[start..<(start + Int(slot.bytes))])
    }

    /// The host's view of a guest physical range for writing, marked dirty; nil when it is not all RAM.
    func writable(at address: UInt64, count: Int) -> UnsafeMutableRawBufferPointer? {
        guard let offset = layout.fileOffset(ofGuestAddress: address, count: UInt64(count)) else {
            return nil
        }
        let start = Int(offset)
        if count > 0 {
            ownDirtyPages.mark(start / pageBytes...(start + count - 1) / pageBytes)
        }
        return unsafe UnsafeMutableRawBufferPointer(
            rebasing: mapping.bytes[start..<(start + count)])
    }

    /// False, and nothing written, when the range is not all RAM.
    @discardableResult
    package func write(_ bytes: some Collection<UInt8>, at address: UInt64) -> Bool {
        guard let target = unsafe writable(at: address, count: bytes.count) else { return false }
        unsafe target.copyBytes(from: bytes)
        return true
    }

    @discardableResult
    func zero(at address: UInt64, count: Int) -> Bool {
        guard let target = unsafe writable(at: address, count: count) else { return false }
        unsafe target.initializeMemory(as: UInt8.self, repeating: 0)
        return true
    }

    /// A copy of guest memory; nil when the range is not all RAM.
    package func read(at address: UInt64, count: Int) -> [UInt8]? {
        guard let offset = layout.fileOffset(ofGuestAddress: address, count: UInt64(count)) else {
            return nil
        }
        return unsafe Array(mapping.bytes[Int(offset)..<(Int(offset) + count)])
    }
}
