// Linux's "zero page": the setup header with what a boot loader fills in, and the memory map.

import Wire

enum BootParameters {
    private static let bytes = 4096
    private static let mapCount = 0x1e8
    private static let map = 0x2d0

    static func makeZeroPage(
        for kernel: BzImage, initrd: Range<UInt64>?, memoryMap entries: [BootLayout.MapEntry]
    ) -> [UInt8] {
        var page = [UInt8](repeating: 0, count: bytes)
        writeBytes(kernel.setupHeader, at: BzImage.setupHeaderOffset, in: &page)
        page[0x210] = 0xff  // a boot loader without a number
        writeInteger(UInt32(BzImage.loadAddress), at: 0x214, in: &page)
        writeInteger(UInt32(initrd?.lowerBound ?? 0), at: 0x218, in: &page)
        writeInteger(UInt32(initrd?.count ?? 0), at: 0x21c, in: &page)
        writeInteger(UInt32(BootLayout.commandLine), at: 0x228, in: &page)
        page[mapCount] = UInt8(entries.count)
        for (index, entry) in entries.enumerated() {
            writeInteger(entry.address, at: map + 20 * index, in: &page)
            writeInteger(entry.bytes, at: map + 20 * index + 8, in: &page)
            writeInteger(entry.type, at: map + 20 * index + 16, in: &page)
        }
        return page
    }

    private static func writeInteger(
        _ value: some FixedWidthInteger, at offset: Int, in page: inout [UInt8]
    ) {
        var writer = ByteWriter()
        writer.writeInteger(value)
        writeBytes(writer.bytes, at: offset, in: &page)
    }

    private static func writeBytes(_ bytes: [UInt8], at offset: Int, in page: inout [UInt8]) {
        page.replaceSubrange(offset..<(offset + bytes.count), with: bytes)
    }
}
