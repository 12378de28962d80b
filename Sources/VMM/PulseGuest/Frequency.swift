/// How fast the time stamp counter runs, asked once at the start: KVM's clock page, else CPUID,
/// else measured against the PIT.
enum Frequency {
    /// In kHz; nil if nothing tells. `page` is a page of memory that the hypervisor may write for a
    /// moment.
    static func kilohertz(page: UnsafeMutableRawPointer) -> UInt64? {
        kvmClockFrequency(page: page) ?? cpuidFrequency() ?? pitFrequency()
    }

    /// The KVM leaves of CPUID, if the hypervisor is KVM.
    private static var kvmLeafMax: UInt32? {
        let answer = cpuid(0x4000_0000)
        guard answer.ebx == 0x4b4d_564b, answer.ecx == 0x564b_4d56, answer.edx == 0x4d else {
            return nil
        }
        return max(answer.eax, 0x4000_0001)
    }

    /// `struct pvclock_vcpu_time_info`: a version that is odd during an update, and nanoseconds per
    /// tick as a 32-bit fraction and a shift.
    private static func kvmClockFrequency(page: UnsafeMutableRawPointer) -> UInt64? {
        let register: UInt32 = 0x4b56_4d01
        guard kvmLeafMax != nil, cpuid(0x4000_0001).eax & 1 << 3 != 0 else { return nil }
        Ring0.writeMSR(value: UInt64(UInt(bitPattern: page)) | 1, index: register)
        defer { Ring0.writeMSR(value: 0, index: register) }
        for _ in 0..<1000 {
            let version = read_register(UInt64(UInt(bitPattern: page)))
            let multiplier = UInt64(read_register(UInt64(UInt(bitPattern: page)) + 24))
            let shift = Int8(truncatingIfNeeded: read_register(UInt64(UInt(bitPattern: page)) + 28))
            if version != 0, version & 1 == 0, multiplier != 0 {
                let base = (1_000_000 << 32) / multiplier
                return shift < 0 ? base << UInt64(-shift) : base >> UInt64(shift)
            }
            relax()
        }
        return nil
    }

    private static func cpuidFrequency() -> UInt64? {
        if let leafMax = kvmLeafMax, leafMax >= 0x4000_0010 {
            let kilohertz = cpuid(0x4000_0010).eax
            if kilohertz != 0 { return UInt64(kilohertz) }
        }
        guard cpuid(0).eax >= 0x15 else { return nil }
        let ratio = cpuid(0x15)
        guard ratio.eax != 0, ratio.ebx != 0, ratio.ecx != 0 else { return nil }
        return UInt64(ratio.ecx) * UInt64(ratio.ebx) / UInt64(ratio.eax) / 1000
    }

    /// Counts ticks while PIT channel 0 counts down 50 ms. Its interrupt stays masked, and unlike
    /// channel 2 it needs no gate, which a small machine may lack.
    private static func pitFrequency() -> UInt64? {
        let count: UInt64 = 1_193_182 / 20
        Ring0.writeByte(0x30, toPort: 0x43)  // channel 0, both bytes, mode 0
        Ring0.writeByte(UInt8(count & 0xff), toPort: 0x40)
        Ring0.writeByte(UInt8(count >> 8), toPort: 0x40)
        let start = timestamp()
        var status: UInt8
        repeat {
            Ring0.writeByte(0xe2, toPort: 0x43)  // read back the status of channel 0
            status = Ring0.readByte(fromPort: 0x40)
        } while status & 0x80 == 0
        let kilohertz = (timestamp() &- start) * 1_193_182 / count / 1000
        return kilohertz > 100_000 && status != 0xff ? kilohertz : nil
    }
}
