import Testing
import Wire

@Suite("Bytes on the wire")
struct ByteReaderTests {
    private func sample() -> ByteWriter {
        var writer = ByteWriter()
        writer.writeInteger(UInt16(0x0102))
        writer.writeBool(true)
        writer.writeText("ferry")
        writer.writeBytes(counted: [9, 8])
        writer.writeOptional(value: UInt32?.some(7)) { $0.writeInteger($1) }
        writer.writeList(of: [UInt64(1), 2]) { $0.writeInteger($1) }
        writer.writeInteger(Int64(-2))
        return writer
    }

    private func read(_ bytes: ArraySlice<UInt8>) throws(WireError) {
        var reader = ByteReader(bytes)
        _ = try reader.readInteger(as: UInt16.self, field: "a")
        _ = try reader.readBool(field: "b")
        _ = try reader.readText(limit: 16, field: "c")
        _ = try reader.readCountedBytes(limit: 16, field: "d")
        _ = try reader.readOptional(field: "e") { (reader) throws(WireError) in
            try reader.readInteger(as: UInt32.self, field: "e")
        }
        _ = try reader.readList(limit: 4, elementBytesMin: 8, field: "f") {
            (reader) throws(WireError) in
            try reader.readInteger(as: UInt64.self, field: "f")
        }
        _ = try reader.readInteger(as: Int64.self, field: "g")
        try reader.requireFullyRead()
    }

    @Test("Values are little-endian without padding")
    func golden() {
        #expect(
            sample().bytes.prefix(16)
                == [2, 1, 1, 5, 0, 0, 0, 0x66, 0x65, 0x72, 0x72, 0x79, 2, 0, 0, 0])
    }

    @Test("What is written reads back")
    func roundTrip() throws {
        try read(sample().bytes[...])
        var reader = ByteReader(sample().bytes.suffix(8))
        #expect(try reader.readInteger(as: Int64.self, field: "g") == -2)
    }

    @Test("Every truncation is refused")
    func truncations() {
        let bytes = sample().bytes
        for count in 0..<bytes.count {
            #expect(throws: WireError.self) { try read(bytes.prefix(count)) }
        }
    }

    @Test("Bytes left over are refused")
    func trailing() {
        #expect(throws: WireError.trailingBytes(1)) { try read(sample().bytes + [0]) }
    }

    @Test("A length beyond its limit, or beyond what is there, is refused before it is used")
    func lengths() {
        var reader = ByteReader([0xff, 0xff, 0xff, 0xff])
        #expect(throws: WireError.tooLong(field: "x", count: 0xffff_ffff, limit: 10)) {
            try reader.readCountedBytes(limit: 10, field: "x")
        }
        var list = ByteReader([4, 0, 0, 0, 1])
        #expect(throws: WireError.truncated(field: "x", needed: 32, available: 1)) {
            try list.readList(limit: 4, elementBytesMin: 8, field: "x") {
                (reader) throws(WireError) in
                try reader.readInteger(as: UInt64.self, field: "x")
            }
        }
    }

    @Test("Text must be UTF-8 and a Boolean 0 or 1")
    func values() {
        var text = ByteReader([1, 0, 0, 0, 0xff])
        #expect(throws: WireError.invalidText(field: "t")) {
            try text.readText(limit: 4, field: "t")
        }
        var bool = ByteReader([2])
        #expect(throws: WireError.invalid(field: "b", value: 2)) { try bool.readBool(field: "b") }
    }

    @Test("CRC-32C has the check value of its definition")
    func checksum() {
        #expect(CRC32C.checksum(of: "123456789".utf8) == 0xE306_9283)
        #expect(CRC32C.checksum(of: []) == 0)
    }
}
