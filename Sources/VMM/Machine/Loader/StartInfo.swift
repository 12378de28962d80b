// What a PVH kernel is told (Xen, public/arch-x86/hvm/start_info.h, version 1).

import Wire

enum StartInfo {
    private static let magic: UInt32 = 0x336e_c578

    static func bytes(initrd: Range<UInt64>?, map entries: Int) -> [UInt8] {
        var info = ByteWriter()
        info.write(magic)
        info.write(UInt32(1))  // version
        info.write(UInt32(0))  // flags
        info.write(UInt32(initrd == nil ? 0 : 1))
        info.write(initrd == nil ? 0 : BootLayout.modules)
        info.write(BootLayout.commandLine)
        info.write(UInt64(0))  // no ACPI tables
        info.write(BootLayout.memoryMap)
        info.write(UInt32(entries))
        info.write(UInt32(0))
        return info.bytes
    }

    static func modules(initrd: Range<UInt64>?) -> [UInt8] {
        var list = ByteWriter()
        list.write(initrd?.lowerBound ?? 0)
        list.write(UInt64(initrd?.count ?? 0))
        list.write(UInt64(0))
        list.write(UInt64(0))
        return list.bytes
    }

    static func map(_ entries: [BootLayout.MapEntry]) -> [UInt8] {
        var map = ByteWriter()
        for entry in entries {
            map.write(entry.address)
            map.write(entry.bytes)
            map.write(entry.type)
            map.write(UInt32(0))
        }
        return map.bytes
    }
}
