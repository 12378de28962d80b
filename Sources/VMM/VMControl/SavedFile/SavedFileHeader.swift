// The format of a saved VM, one file: its description, its state, and the pages of its memory that are not zero.
//
//   0   8  magic "FERRYVM\n"
//   8   4  version, 1
//  12   4  bytes of the description, then the description: id, spec
//          4 bytes of state, then the state (a StateBlob, with its own checksums)
//          4 CRC-32C of all of the above
//          extents: 8 first page, 4 pages (1 to 512), 4 CRC-32C of first page, count and bytes; the bytes
//          end:     8 all ones, 4 number of extents modulo 2^32, 4 CRC-32C of these 12 bytes
//
// Extents ascend and cover no page twice. The end mark shows whether the file is complete.
//
// The agent reads only the header; ferry-vmm reads and writes the whole file.

import Host
package import Model
import Wire

/// The identity and the description of the VM in a saved file. A lease is not saved: restoring makes a new VM.
package struct SavedFileHeader: Hashable, Sendable {
    package var id: VMID
    package var spec: VMSpec

    package static let magic: [UInt8] = Array("FERRYVM\n".utf8)
    package static let version: UInt32 = 1
    static let fixedBytes = 16
    static let descriptionBytesMax = 64 << 10
    static let stateBytesMax = 16 << 20
    /// Pages in one extent.
    package static let extentPagesMax = 512
    package static let endMark = UInt64.max
    static let markBytes = 16

    package var description: [UInt8] {
        var writer = ByteWriter()
        writer.writeInteger(id.high)
        writer.writeInteger(id.low)
        writer.writeVMSpec(spec)
        return writer.bytes
    }

    package init(id: VMID, spec: VMSpec) {
        self.id = id
        self.spec = spec
    }

    init(description bytes: [UInt8]) throws(WireError) {
        var reader = ByteReader(bytes)
        id = VMID(
            high: try reader.readInteger(field: "id"), low: try reader.readInteger(field: "id"))
        spec = try reader.readVMSpec()
        try reader.requireFullyRead()
        guard spec.problem == nil else {
            throw .invalid(field: "spec's memory", value: spec.memory.bytes)
        }
    }
}

/// The mark before an extent's bytes, or at the end.
package func extentMark(
    first: UInt64, count: UInt32, bytes: UnsafeRawBufferPointer
) -> [UInt8] {
    var writer = ByteWriter()
    writer.writeInteger(first)
    writer.writeInteger(count)
    writer.writeInteger(
        unsafe crc32cChecksum(of: bytes, after: crc32cChecksum(of: writer.bytes[...])))
    return writer.bytes
}
