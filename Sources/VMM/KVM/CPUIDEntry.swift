// One answer of the CPUID instruction.

internal import CLinux

/// What CPUID answers for one leaf, or for one subleaf of it.
package struct CPUIDEntry: Hashable, Sendable {
    package var leaf: UInt32
    package var subleaf: UInt32
    /// KVM_CPUID_FLAG_*
    package var flags: UInt32
    package var eax: UInt32
    package var ebx: UInt32
    package var ecx: UInt32
    package var edx: UInt32

    package init(
        leaf: UInt32, subleaf: UInt32 = 0, flags: UInt32 = 0,
        eax: UInt32 = 0, ebx: UInt32 = 0, ecx: UInt32 = 0, edx: UInt32 = 0
    ) {
        self.leaf = leaf
        self.subleaf = subleaf
        self.flags = flags
        self.eax = eax
        self.ebx = ebx
        self.ecx = ecx
        self.edx = edx
    }

    // struct kvm_cpuid2 in 32-bit words: count, padding, then ten words an entry.
    private static let headerWords = 2
    private static let entryWords = 10

    static func makeCPUIDList(room: Int) -> [UInt32] {
        var words = [UInt32](repeating: 0, count: headerWords + room * entryWords)
        words[0] = UInt32(room)
        return words
    }

    static func makeCPUIDList(of entries: [CPUIDEntry]) -> [UInt32] {
        var words = makeCPUIDList(room: entries.count)
        for (index, entry) in entries.enumerated() {
            let start = headerWords + index * entryWords
            words.replaceSubrange(
                start..<(start + 7),
                with: [
                    entry.leaf, entry.subleaf, entry.flags, entry.eax, entry.ebx, entry.ecx,
                    entry.edx,
                ])
        }
        return words
    }

    static func decodeEntries(fromList words: [UInt32]) -> [CPUIDEntry] {
        let room = (words.count - headerWords) / entryWords
        return (0..<min(Int(words[0]), room)).map { index in
            let start = headerWords + index * entryWords
            return CPUIDEntry(
                leaf: words[start], subleaf: words[start + 1], flags: words[start + 2],
                eax: words[start + 3], ebx: words[start + 4], ecx: words[start + 5],
                edx: words[start + 6])
        }
    }
}
