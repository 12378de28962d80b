// The MP table: which CPUs there are and how interrupts are wired (Intel MultiProcessor Specification 1.4).

import Wire

enum MPTable {
    private static let localAPIC: UInt32 = 0xfee0_0000
    private static let ioAPIC: UInt32 = 0xfec0_0000
    private static let interruptLines: UInt8 = 16

    /// The floating pointer and, after it, the table, to be put at `address`.
    static func makeMPStructures(vcpus: Int, at address: UInt64) -> [UInt8] {
        var pointer = ByteWriter()
        pointer.writeBytes(raw: "_MP_".utf8)
        pointer.writeInteger(UInt32(address) + 16)
        pointer.writeBytes(raw: [1, 4, 0, 0, 0, 0, 0, 0])  // 16 bytes, version 1.4, checksum, features
        return addingChecksum(to: pointer.bytes, at: 10) + makeConfigurationTable(vcpus: vcpus)
    }

    private static func makeConfigurationTable(vcpus: Int) -> [UInt8] {
        let entries = makeTableEntries(vcpus: vcpus)
        var table = ByteWriter()
        table.writeBytes(raw: "PCMP".utf8)
        table.writeInteger(UInt16(44 + entries.bytes.count))
        table.writeBytes(raw: [4, 0])  // version 1.4, checksum
        table.writeBytes(raw: "FERRY   ".utf8)
        table.writeBytes(raw: "VM          ".utf8)
        table.writeInteger(UInt32(0))
        table.writeInteger(UInt16(0))
        table.writeInteger(UInt16(entries.count))
        table.writeInteger(localAPIC)
        table.writeInteger(UInt32(0))
        table.writeBytes(raw: entries.bytes)
        return addingChecksum(to: table.bytes, at: 7)
    }

    private static func makeTableEntries(vcpus: Int) -> (bytes: [UInt8], count: Int) {
        var entries = ByteWriter()
        for id in 0..<vcpus {
            // Flags: enabled; the first one boots.
            entries.writeBytes(raw: [0, UInt8(id), 0x14, id == 0 ? 3 : 1])
            entries.writeInteger(UInt32(0x600))  // signature: family 6
            entries.writeInteger(UInt32(0x201))  // APIC, FPU
            entries.writeInteger(UInt64(0))
        }
        let ioAPICID = UInt8(vcpus)
        entries.writeBytes(raw: [1, 0])
        entries.writeBytes(raw: "ISA   ".utf8)
        entries.writeBytes(raw: [2, ioAPICID, 0x11, 1])
        entries.writeInteger(ioAPIC)
        // Interrupt n of the ISA bus is pin n of the IOAPIC: KVM's own routing.
        for line in 0..<interruptLines {
            entries.writeBytes(raw: [3, 0, 0, 0, 0, line, ioAPICID, line])
        }
        entries.writeBytes(raw: [4, 3, 0, 0, 0, 0, 0xff, 0])  // the PIC: LINT0 of all
        entries.writeBytes(raw: [4, 1, 0, 0, 0, 0, 0xff, 1])  // NMI: LINT1 of all
        return (entries.bytes, vcpus + 4 + Int(interruptLines))
    }

    private static func addingChecksum(to bytes: [UInt8], at index: Int) -> [UInt8] {
        var bytes = bytes
        bytes[index] = 0 &- bytes.reduce(0, &+)
        return bytes
    }
}
