/// The CPUs that the firmware or VMM lists in an MP table (MultiProcessor Specification 1.4).
/// Without one there is the CPU that runs this, and no other.
struct ProcessorTable {
    private var ids = InlineArray<32, UInt8>(repeating: 0)
    /// Other CPUs, at most one less than the guest has stacks for.
    private(set) var count = 0

    /// Reads low memory. `own` is the APIC id of the CPU that asks.
    init(own: UInt8) {
        guard let pointer = ProcessorTable.findPointer() else { return }
        let table = UInt64(pointer.loadUnaligned(fromByteOffset: 4, as: UInt32.self))
        guard let header = UnsafeRawPointer(bitPattern: UInt(table)),
            header.loadUnaligned(as: UInt32.self) == 0x504d_4350  // "PCMP"
        else { return }
        var entry = header + 44
        // The length tells where the entries end: there is firmware (qboot) that leaves their count
        // at zero.
        let end = header + Int(header.loadUnaligned(fromByteOffset: 4, as: UInt16.self))
        while entry < end {
            guard entry.load(as: UInt8.self) == 0 else {
                entry += 8
                continue
            }
            let id = entry.load(fromByteOffset: 1, as: UInt8.self)
            let isEnabled = entry.load(fromByteOffset: 3, as: UInt8.self) & 1 == 1
            if isEnabled, id != own, count < Int(PULSE_CPUS_MAX) - 1 {
                ids[count] = id
                count += 1
            }
            entry += 20
        }
    }

    /// The APIC id of another CPU.
    subscript(index: Int) -> UInt8 { ids[index] }

    private static func findPointer() -> UnsafeRawPointer? {
        let segment = UnsafeRawPointer(bitPattern: 0x40e as UInt)!.loadUnaligned(as: UInt16.self)
        let extended = UInt(segment) << 4
        if extended >= 0x8_0000, let found = searchPointer(from: extended, to: extended + 1024) {
            return found
        }
        return searchPointer(from: 0x9_fc00, to: 0xa_0000)
            ?? searchPointer(from: 0xf_0000, to: 0x10_0000)
    }

    private static func searchPointer(from start: UInt, to end: UInt) -> UnsafeRawPointer? {
        for address in stride(from: start, to: end, by: 16) {
            let candidate = UnsafeRawPointer(bitPattern: address)!
            guard candidate.load(as: UInt32.self) == 0x5f50_4d5f else { continue }  // "_MP_"
            var sum: UInt8 = 0
            for offset in 0..<16 { sum &+= candidate.load(fromByteOffset: offset, as: UInt8.self) }
            if sum == 0 { return candidate }
        }
        return nil
    }
}
