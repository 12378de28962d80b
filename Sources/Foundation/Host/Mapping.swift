// Memory shared between processes: memfds and the pages that map them.

internal import CLinux
import Glibc

/// An anonymous file in memory.
package enum MemoryFile {
    /// A file whose size never changes: who maps it has no SIGBUS to fear from its other owners.
    ///
    /// - Parameter hugePages: back it with 2 MiB hugetlb pages; `bytes` must then be a multiple of 2 MiB.
    package static func createFixedSize(
        name: String, bytes: Int, hugePages: Bool = false
    ) throws(SystemError) -> Descriptor {
        let file = try createMemoryFile(name: name, hugePages: hugePages)
        try file.truncateFile(toBytes: bytes)
        try checkedWrapperCall(named: "fcntl(F_ADD_SEALS)") { ferry_seal_size(file.number) }
        if hugePages {
            // Mappings reserve nothing: without this a pool that runs out is a SIGBUS in the guest's midst.
            let code = posix_fallocate(file.number, 0, bytes)
            guard code == 0 else {
                throw SystemError(call: "fallocate(\(name), huge pages)", code: code)
            }
        }
        return file
    }

    /// An empty file that grows as it is written: to read, not to map.
    package static func createGrowing(name: String) throws(SystemError) -> Descriptor {
        try createMemoryFile(name: name, hugePages: false)
    }

    private static func createMemoryFile(name: String, hugePages: Bool) throws(SystemError)
        -> Descriptor
    {
        let call = hugePages ? "memfd_create(\(name), huge pages)" : "memfd_create(\(name))"
        return Descriptor(
            owning: try checkedWrapperCall(named: call) {
                unsafe ferry_memfd_create(name, hugePages ? 1 : 0)
            })
    }

    /// Whether nobody can ever make it smaller; false for what is no memory file.
    package static func hasShrinkSeal(on file: Descriptor) -> Bool {
        let seals = ferry_get_seals(file.number)
        return seals >= 0 && seals & FERRY_SEAL_SHRINK != 0
    }

    /// The next piece of the file, from `position` on, that has memory behind it; nil when there is none.
    /// Everything else reads as zero, and reading it would give it memory.
    package static func nextDataRange(
        in file: Descriptor, from position: Int, end: Int
    ) -> Range<Int>? {
        let data = ferry_seek_data(file.number, position)
        if data == -Int(ENXIO) { return nil }
        // A kind of memory that does not know its holes counts as data.
        let start = data < 0 ? position : data
        let hole = ferry_seek_hole(file.number, start)
        return start < end ? start..<(hole < 0 ? end : min(end, hole)) : nil
    }

    /// Gives pages back to the host; they read as zero afterwards.
    package static func punchHole(
        in file: Descriptor, offset: Int, count: Int
    ) throws(SystemError) {
        try checkedWrapperCall(named: "fallocate(PUNCH_HOLE)") {
            ferry_punch_hole(file.number, offset, count)
        }
    }
}

/// A shared, readable and writable mapping of a file; unmapped when the last owner goes.
///
/// Other processes and vCPUs write to it while it is read: copy a page out once, then look at the copy.
@safe package final class Mapping: @unchecked Sendable {
    /// Valid as long as this object lives. `@unchecked`: the address and size never change, and the bytes
    /// are shared with other processes anyway.
    package let base: UnsafeMutableRawPointer
    package let count: Int

    package init(_ file: Descriptor, count: Int, offset: Int = 0) throws(SystemError) {
        let address = unsafe mmap(
            nil, count, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, file.number, offset)
        guard let address = unsafe address, unsafe address != MAP_FAILED else {
            throw SystemError(call: "mmap(\(count) bytes)", code: errno)
        }
        unsafe base = address
        self.count = count
    }

    deinit { _ = unsafe munmap(base, count) }

    package var bytes: UnsafeMutableRawBufferPointer {
        unsafe UnsafeMutableRawBufferPointer(start: base, count: count)
    }
}
