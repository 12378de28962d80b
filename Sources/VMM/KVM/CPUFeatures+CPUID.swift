// The CPU features in CPUID's answers, by their names in /proc/cpuinfo.

package import Model

extension CPUFeatures {
    /// The features of one vCPU or of a host, from leaves 1, 7, 0xd, 0x80000001 and 0x80000008.
    package init(cpuid entries: [CPUIDEntry]) {
        var names: [String] = []
        for table in FeatureTable.all {
            guard
                let entry = entries.first(where: {
                    $0.leaf == table.leaf && $0.subleaf == table.subleaf
                })
            else { continue }
            let word = entry[keyPath: table.register]
            for (bit, name) in table.names where word >> UInt32(bit) & 1 == 1 {
                names.append(name)
            }
        }
        // OSXSAVE and the hypervisor bit say what software does, not what the CPU can.
        self.init(names)
    }
}

/// The named bits of one register of one leaf.
private struct FeatureTable {
    var leaf: UInt32
    var subleaf: UInt32 = 0
    var register: KeyPath<CPUIDEntry, UInt32>
    var names: [(bit: Int, name: String)]

    /// Names in order of bits; "-" for a bit without a feature.
    private init(
        leaf: UInt32, subleaf: UInt32 = 0, register: KeyPath<CPUIDEntry, UInt32>,
        names text: String
    ) {
        self.leaf = leaf
        self.subleaf = subleaf
        self.register = register
        names = text.split(separator: " ").enumerated()
            .filter { $0.element != "-" }
            .map { ($0.offset, String($0.element)) }
    }

    static var all: [FeatureTable] {
        [
            FeatureTable(
                leaf: 1, subleaf: 0, register: \.edx,
                names:
                    "fpu vme de pse tsc msr pae mce cx8 apic - sep mtrr pge mca cmov pat pse36 pn clflush - - acpi mmx fxsr sse sse2 ss"
            ),
            FeatureTable(
                leaf: 1, subleaf: 0, register: \.ecx,
                names:
                    "pni pclmulqdq - monitor - - - - - ssse3 - - fma cx16 - - - pcid dca sse4_1 sse4_2 x2apic movbe popcnt tsc_deadline_timer aes xsave - avx f16c rdrand"
            ),
            FeatureTable(
                leaf: 7, subleaf: 0, register: \.ebx,
                names:
                    "fsgsbase tsc_adjust - bmi1 hle avx2 - smep bmi2 erms invpcid rtm - - - - avx512f avx512dq rdseed adx smap avx512ifma - clflushopt clwb - avx512pf avx512er avx512cd sha_ni avx512bw avx512vl"
            ),
            FeatureTable(
                leaf: 7, subleaf: 0, register: \.ecx,
                names:
                    "- avx512vbmi umip pku - waitpkg avx512_vbmi2 - gfni vaes vpclmulqdq avx512_vnni avx512_bitalg - avx512_vpopcntdq - la57 - - - - - rdpid - bus_lock_detect cldemote - movdiri movdir64b"
            ),
            FeatureTable(
                leaf: 7, subleaf: 0, register: \.edx,
                names:
                    "- - avx512_4vnniw avx512_4fmaps fsrm - - - avx512_vp2intersect - md_clear - - - serialize - tsxldtrk - - - - - amx_bf16 avx512_fp16 amx_tile amx_int8 spec_ctrl intel_stibp flush_l1d arch_capabilities - ssbd"
            ),
            FeatureTable(
                leaf: 7, subleaf: 1, register: \.eax,
                names: "sha512 sm3 sm4 - avx_vnni avx512_bf16 - - - - fzrm fsrs fsrc"),
            FeatureTable(
                leaf: 0xd, subleaf: 1, register: \.eax, names: "xsaveopt xsavec xgetbv1 xsaves"),
            FeatureTable(
                leaf: 0x8000_0001, subleaf: 0, register: \.edx,
                names:
                    "- - - - - - - - - - - syscall - - - - - - - - nx - mmxext - - fxsr_opt pdpe1gb rdtscp - lm 3dnowext 3dnow"
            ),
            FeatureTable(
                leaf: 0x8000_0001, subleaf: 0, register: \.ecx,
                names:
                    "lahf_lm - - - cr8_legacy abm sse4a misalignsse 3dnowprefetch osvw - xop - - - fma4 tce - - - - tbm"
            ),
            FeatureTable(
                leaf: 0x8000_0008, subleaf: 0, register: \.ebx,
                names:
                    "clzero - xsaveerptr - - - - - - wbnoinvd - - ibpb - ibrs stibp - stibp_always_on - - - - - - amd_ssbd virt_ssbd"
            ),
        ]
    }
}
