// What CPUID tells a guest: what KVM supports, without what a VM could not take along, and with the
// guest's own topology.
//
// Taken away: nested virtualisation (its state is not moved), the performance counters (they count the
// host's events), and of KVM's own features all that a guest would use by hypercall or by pages that KVM
// writes on its own account (steal time, asynchronous page faults). What is left of those is kvmclock,
// the needless-delay hint and PV EOI.
// Kept: the invariant TSC. Restoring a state demands the TSC's frequency, so the promise holds after a move.

package import KVM

package enum CPUIDPolicy {
    /// Old clock, no I/O delay, new clock, PV EOI; stable clock is left to the TSC.
    static let hypervisorFeatures: UInt32 = 0x0100_004b

    /// The entries of one vCPU, whose APIC id is `id`.
    package static func guestEntries(
        from supported: [CPUIDEntry], id: Int, vcpus: Int
    ) -> [CPUIDEntry] {
        let own: (CPUIDEntry) -> Bool = { entry in
            (0x4000_0000..<0x5000_0000).contains(entry.leaf) || entry.leaf == 0xb
                || entry.leaf == 0x1f || entry.leaf == 0x8000_0022
        }
        let features = supported.first { $0.leaf == 0x4000_0001 }?.eax ?? 0
        var entries = supported.filter { !own($0) }.map {
            adaptedEntry(from: $0, id: UInt32(id), vcpus: UInt32(vcpus))
        }
        if supported.contains(where: { $0.leaf == 0 && $0.eax >= 0xb }) {
            entries += topologyEntries(id: UInt32(id), vcpus: UInt32(vcpus))
        }
        return entries + hypervisor(features: features & hypervisorFeatures)
    }

    private static func adaptedEntry(from entry: CPUIDEntry, id: UInt32, vcpus: UInt32)
        -> CPUIDEntry
    {
        var entry = entry
        switch entry.leaf {
        case 0: entry.eax = min(entry.eax, 0x1e)
        case 1:
            entry.ebx = entry.ebx & 0x0000_ffff | vcpus << 16 | id << 24
            // VMX and OSXSAVE off (KVM shows the latter itself, from CR4); hypervisor on.
            entry.ecx = entry.ecx & ~(1 << 5 | 1 << 27) | 1 << 31
            entry.edx = vcpus > 1 ? entry.edx | 1 << 28 : entry.edx & ~(1 << 28)
        case 4 where entry.eax & 0x1f != 0:
            // Each cache belongs to one CPU, and all CPUs are cores of one package.
            entry.eax = entry.eax & 0x3fff | (vcpus - 1) << 26
        case 0xa: (entry.eax, entry.ebx, entry.ecx, entry.edx) = (0, 0, 0, 0)
        case 0x8000_0001:
            // SVM and the performance counters of cores, north bridge and last-level cache off.
            entry.ecx &= ~(1 << 2 | 1 << 23 | 1 << 24 | 1 << 28)
        case 0x8000_0008:
            entry.ecx = entry.ecx & ~0xf0ff | (vcpus - 1) | topologyBits(vcpus: vcpus) << 12
        case 0x8000_001d: entry.eax &= 0x3fff
        case 0x8000_001e:
            (entry.eax, entry.ebx, entry.ecx) = (id, id, 0)
        default: break
        }
        return entry
    }

    /// Leaf 0xb: one thread a core, all cores in one package.
    private static func topologyEntries(id: UInt32, vcpus: UInt32) -> [CPUIDEntry] {
        let significant: UInt32 = 1  // KVM_CPUID_FLAG_SIGNIFCANT_INDEX
        let bits = topologyBits(vcpus: vcpus)
        return [
            CPUIDEntry(
                leaf: 0xb, subleaf: 0, flags: significant, eax: 0, ebx: 1, ecx: 0x100, edx: id),
            CPUIDEntry(
                leaf: 0xb, subleaf: 1, flags: significant, eax: bits, ebx: vcpus, ecx: 0x201,
                edx: id),
            CPUIDEntry(leaf: 0xb, subleaf: 2, flags: significant, ecx: 2, edx: id),
        ]
    }

    /// "KVMKVMKVM" and what of its features is offered.
    private static func hypervisor(features: UInt32) -> [CPUIDEntry] {
        [
            CPUIDEntry(
                leaf: 0x4000_0000, eax: 0x4000_0001, ebx: 0x4b4d_564b, ecx: 0x564b_4d56,
                edx: 0x0000_004d),
            CPUIDEntry(leaf: 0x4000_0001, eax: features),
        ]
    }

    /// Bits of an APIC id that number the CPUs of a package.
    private static func topologyBits(vcpus: UInt32) -> UInt32 {
        UInt32(UInt32.bitWidth - (vcpus - 1).leadingZeroBitCount)
    }
}
