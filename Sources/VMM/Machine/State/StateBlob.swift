// Saved state as bytes: a header and named, versioned sections, one for each owner of state.
//
//   0   8  magic "FERRYST\n"
//   8   2  version of this container, 1
//  10   2  zero
//  12   4  number of sections
//  16   8  bytes of the body
//  24   4  CRC-32C of the body
//  28   4  CRC-32C of bytes 0 to 27
//  32      body: for each section name (32-bit length, UTF-8), 16-bit version, 32-bit length, bytes
//
// All numbers are little-endian. A reader knows every section or refuses the whole: state that is left out
// in silence is a guest that goes wrong later.

import Host
import Model
import Wire

/// The state of one owner.
package struct StateSection: Hashable, Sendable {
    package var name: String
    package var version: UInt16
    package var bytes: [UInt8]

    package init(name: String, version: UInt16 = 1, bytes: [UInt8]) {
        self.name = name
        self.version = version
        self.bytes = bytes
    }
}

package enum StateBlob {
    package static let headerBytes = 32
    private static let magic: [UInt8] = Array("FERRYST\n".utf8)
    private static let version: UInt16 = 1

    package static func encodeSections(_ sections: [StateSection]) -> [UInt8] {
        var body = ByteWriter(reserving: sections.reduce(0) { $0 + $1.bytes.count + 64 })
        for section in sections {
            body.writeText(section.name)
            body.writeInteger(section.version)
            body.writeBytes(counted: section.bytes)
        }
        var header = ByteWriter()
        header.writeBytes(raw: magic)
        header.writeInteger(version)
        header.writeInteger(UInt16(0))
        header.writeInteger(UInt32(sections.count))
        header.writeInteger(UInt64(body.bytes.count))
        header.writeInteger(crc32cChecksum(of: body.bytes[...]))
        header.writeInteger(crc32cChecksum(of: header.bytes[...]))
        return header.bytes + body.bytes
    }

    package static func decodeSections(from bytes: [UInt8]) throws(StateError) -> [StateSection] {
        do {
            let header = try Header(bytes)
            let body = bytes[headerBytes...]
            guard UInt64(body.count) == header.bodyBytes else {
                throw StateError(
                    part: "header",
                    reason: .wrongSize(found: body.count, expected: Int(clamping: header.bodyBytes))
                )
            }
            guard crc32cChecksum(of: body) == header.bodyChecksum else {
                throw StateError(part: "body", reason: .wrongChecksum)
            }
            return try readSections(from: body, count: header.sectionCount)
        } catch {
            throw typedError(error) { (error: WireError) in
                StateError(part: "header", reason: .malformed(error))
            }
        }
    }

    private struct Header {
        var sectionCount: Int
        var bodyBytes: UInt64
        var bodyChecksum: UInt32

        init(_ bytes: [UInt8]) throws {
            var reader = ByteReader(bytes.prefix(headerBytes))
            guard try reader.readBytes(count: 8, field: "magic").elementsEqual(magic) else {
                throw StateError(
                    part: "header", reason: .mismatch("this is no saved state of Ferry's"))
            }
            let version: UInt16 = try reader.readInteger(field: "version")
            let reserved: UInt16 = try reader.readInteger(field: "reserved")
            let count: UInt32 = try reader.readInteger(field: "sections")
            bodyBytes = try reader.readInteger(field: "body")
            bodyChecksum = try reader.readInteger(field: "checksum")
            guard
                try reader.readInteger(as: UInt32.self, field: "checksum")
                    == crc32cChecksum(of: bytes[..<28])
            else { throw StateError(part: "header", reason: .wrongChecksum) }
            guard version == StateBlob.version else {
                throw StateError(
                    part: "header",
                    reason: .wrongVersion(found: Int(version), known: Int(StateBlob.version)))
            }
            guard reserved == 0 else {
                throw WireError.invalid(field: "reserved", value: UInt64(reserved))
            }
            guard count <= Limits.sectionsMax else {
                throw WireError.tooLong(
                    field: "sections", count: Int(count), limit: Limits.sectionsMax)
            }
            sectionCount = Int(count)
        }
    }

    private static func readSections(
        from body: ArraySlice<UInt8>, count: Int
    ) throws(WireError) -> [StateSection] {
        var reader = ByteReader(body)
        var sections: [StateSection] = []
        for _ in 0..<count {
            sections.append(
                StateSection(
                    name: try reader.readText(
                        limit: Limits.sectionNameBytesMax, field: "section name"),
                    version: try reader.readInteger(field: "section version"),
                    bytes: try reader.readCountedBytes(
                        limit: Limits.sectionBytesMax, field: "section")))
        }
        try reader.requireFullyRead()
        return sections
    }
}
