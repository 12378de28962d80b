// Where the VMM puts what a kernel finds at its start, and the map of memory it is told.
//
//   0x05000  descriptor table      0x20000  command line
//   0x06000  PVH start info        0x9fc00  end of low RAM
//   0x06100  PVH modules           0xf0000  MP table
//   0x06200  PVH memory map        1 MiB    kernels load from here on
//   0x07000  Linux boot parameters

import Model

enum BootLayout {
    static let descriptorTable: UInt64 = 0x5000
    static let startInfo: UInt64 = 0x6000
    static let modules: UInt64 = 0x6100
    static let memoryMap: UInt64 = 0x6200
    static let bootParameters: UInt64 = 0x7000
    static let commandLine: UInt64 = 0x20000
    static let lowMemoryEnd: UInt64 = 0x9fc00
    static let mpTable: UInt64 = 0xf0000
    static let highMemoryStart: UInt64 = 1 << 20

    /// A piece of the guest's physical addresses as kernels are told; types as in e820.
    struct MapEntry: Hashable, Sendable {
        static let ram: UInt32 = 1
        static let reserved: UInt32 = 2

        var address: UInt64
        var bytes: UInt64
        var type: UInt32
    }

    static func memoryMap(of layout: GuestMemoryLayout) -> [MapEntry] {
        var map = [
            MapEntry(address: 0, bytes: lowMemoryEnd, type: MapEntry.ram),
            MapEntry(address: mpTable, bytes: highMemoryStart - mpTable, type: MapEntry.reserved),
        ]
        for slot in layout.slots {
            let start = max(slot.guestAddress, highMemoryStart)
            let end = slot.guestAddress + slot.bytes
            map.append(MapEntry(address: start, bytes: end - start, type: MapEntry.ram))
        }
        return map
    }

    /// Null, unused, flat 32-bit code (0x10), flat 32-bit data (0x18), TSS (0x20): what the CPU starts with.
    static let descriptors: [UInt64] = [
        0, 0, 0x00cf_9b00_0000_ffff, 0x00cf_9300_0000_ffff, 0x0000_8b00_0000_0067,
    ]

    /// RAM below the hole ends here.
    static func lowRAMEnd(of layout: GuestMemoryLayout) -> UInt64 { layout.slots[0].bytes }
}
