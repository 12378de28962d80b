// What a PVH kernel is told (Xen, public/arch-x86/hvm/start_info.h, version 1).

import Wire

enum StartInfo {
    private static let magic: UInt32 = 0x336e_c578

    static func encodeStartInfo(initrd: Range<UInt64>?, mapEntries entries: Int) -> [UInt8] {
        var info = ByteWriter()
        info.writeInteger(magic)
        info.writeInteger(UInt32(1))  // version
        info.writeInteger(UInt32(0))  // flags
        info.writeInteger(UInt32(initrd == nil ? 0 : 1))
        info.writeInteger(initrd == nil ? 0 : BootLayout.modules)
        info.writeInteger(BootLayout.commandLine)
        info.writeInteger(UInt64(0))  // no ACPI tables
        info.writeInteger(BootLayout.memoryMap)
        info.writeInteger(UInt32(entries))
        info.writeInteger(UInt32(0))
        return info.bytes
    }

    static func encodeModules(initrd: Range<UInt64>?) -> [UInt8] {
        var list = ByteWriter()
        list.writeInteger(initrd?.lowerBound ?? 0)
        list.writeInteger(UInt64(initrd?.count ?? 0))
        list.writeInteger(UInt64(0))
        list.writeInteger(UInt64(0))
        return list.bytes
    }

    static func encodeMemoryMap(entries: [BootLayout.MapEntry]) -> [UInt8] {
        var map = ByteWriter()
        for entry in entries {
            map.writeInteger(entry.address)
            map.writeInteger(entry.bytes)
            map.writeInteger(entry.type)
            map.writeInteger(UInt32(0))
        }
        return map.bytes
    }
}
