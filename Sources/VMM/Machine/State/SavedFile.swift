// A saved VM as one file: what it is, its state, and those pages of its memory that are not zero.
//
//   0   8  magic "FERRYVM\n"
//   8   4  version, 1
//  12   4  bytes of the description, then the description: id, spec
//          4 bytes of state, then the state (a StateBlob, with its own checksums)
//          4 CRC-32C of all of the above
//          extents: 8 first page, 4 pages (1 to 512), 4 CRC-32C of first page, count and bytes; the bytes
//          end:     8 all ones, 4 number of extents modulo 2^32, 4 CRC-32C of these 12 bytes
//
// Extents ascend and do not touch memory twice. Whatever is missing at the end is noticed by the end mark.

import Host
package import Model
import VMControl
import Wire

/// What a saved file is about. A lease is not saved: who restores the VM makes another one of it.
package struct SavedFileHeader: Hashable, Sendable {
    package var id: VMID
    package var spec: VMSpec

    static let magic: [UInt8] = Array("FERRYVM\n".utf8)
    static let version: UInt32 = 1
    static let fixedBytes = 16
    static let descriptionBytesMax = 64 << 10
    static let endMark = UInt64.max
    static let markBytes = 16

    var description: [UInt8] {
        var writer = ByteWriter()
        writer.write(id.high)
        writer.write(id.low)
        writer.write(spec)
        return writer.bytes
    }

    package init(id: VMID, spec: VMSpec) {
        self.id = id
        self.spec = spec
    }

    init(description bytes: [UInt8]) throws(WireError) {
        var reader = ByteReader(bytes)
        id = VMID(high: try reader.integer(field: "id"), low: try reader.integer(field: "id"))
        spec = try reader.spec()
        try reader.finish()
        guard spec.problem == nil else {
            throw .invalid(field: "spec's memory", value: spec.memory.bytes)
        }
    }
}

/// The mark before an extent's bytes, or at the end.
func extentMark(first: UInt64, count: UInt32, bytes: UnsafeRawBufferPointer) -> [UInt8] {
    var writer = ByteWriter()
    writer.write(first)
    writer.write(count)
    writer.write(unsafe crc32c(of: bytes, after: crc32c(of: writer.bytes[...])))
    return writer.bytes
}
