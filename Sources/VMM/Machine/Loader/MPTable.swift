// The MP table: which CPUs there are and how interrupts are wired (Intel MultiProcessor Specification 1.4).

import Wire

enum MPTable {
    private static let localAPIC: UInt32 = 0xfee0_0000
    private static let ioAPIC: UInt32 = 0xfec0_0000
    private static let interruptLines: UInt8 = 16

    /// The floating pointer and, after it, the table, to be put at `address`.
    static func bytes(vcpus: Int, at address: UInt64) -> [UInt8] {
        var pointer = ByteWriter()
        pointer.write(raw: "_MP_".utf8)
        pointer.write(UInt32(address) + 16)
        pointer.write(raw: [1, 4, 0, 0, 0, 0, 0, 0])  // 16 bytes, version 1.4, checksum, features
        return summed(pointer.bytes, checksumAt: 10) + table(vcpus: vcpus)
    }

    private static func table(vcpus: Int) -> [UInt8] {
        let entries = entries(vcpus: vcpus)
        var table = ByteWriter()
        table.write(raw: "PCMP".utf8)
        table.write(UInt16(44 + entries.bytes.count))
        table.write(raw: [4, 0])  // version 1.4, checksum
        table.write(raw: "FERRY   ".utf8)
        table.write(raw: "VM          ".utf8)
        table.write(UInt32(0))
        table.write(UInt16(0))
        table.write(UInt16(entries.count))
        table.write(localAPIC)
        table.write(UInt32(0))
        table.write(raw: entries.bytes)
        return summed(table.bytes, checksumAt: 7)
    }

    private static func entries(vcpus: Int) -> (bytes: [UInt8], count: Int) {
        var entries = ByteWriter()
        for id in 0..<vcpus {
            // Flags: enabled; the first one boots.
            entries.write(raw: [0, UInt8(id), 0x14, id == 0 ? 3 : 1])
            entries.write(UInt32(0x600))  // signature: family 6
            entries.write(UInt32(0x201))  // APIC, FPU
            entries.write(UInt64(0))
        }
        let ioAPICID = UInt8(vcpus)
        entries.write(raw: [1, 0])
        entries.write(raw: "ISA   ".utf8)
        entries.write(raw: [2, ioAPICID, 0x11, 1])
        entries.write(ioAPIC)
        // Interrupt n of the ISA bus is pin n of the IOAPIC: KVM's own routing.
        for line in 0..<interruptLines {
            entries.write(raw: [3, 0, 0, 0, 0, line, ioAPICID, line])
        }
        entries.write(raw: [4, 3, 0, 0, 0, 0, 0xff, 0])  // the PIC: LINT0 of all
        entries.write(raw: [4, 1, 0, 0, 0, 0, 0xff, 1])  // NMI: LINT1 of all
        return (entries.bytes, vcpus + 4 + Int(interruptLines))
    }

    private static func summed(_ bytes: [UInt8], checksumAt index: Int) -> [UInt8] {
        var bytes = bytes
        bytes[index] = 0 &- bytes.reduce(0, &+)
        return bytes
    }
}
