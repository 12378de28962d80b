import Testing
import Wire

@Suite("Bytes on the wire")
struct ByteReaderTests {
    private func sample() -> ByteWriter {
        var writer = ByteWriter()
        writer.write(UInt16(0x0102))
        writer.write(true)
        writer.write("ferry")
        writer.write(counted: [9, 8])
        writer.write(optional: UInt32?.some(7)) { $0.write($1) }
        writer.write(list: [UInt64(1), 2]) { $0.write($1) }
        writer.write(Int64(-2))
        return writer
    }

    private func read(_ bytes: ArraySlice<UInt8>) throws(WireError) {
        var reader = ByteReader(bytes)
        _ = try reader.integer(UInt16.self, field: "a")
        _ = try reader.bool(field: "b")
        _ = try reader.text(limit: 16, field: "c")
        _ = try reader.counted(limit: 16, field: "d")
        _ = try reader.optional(field: "e") { (reader) throws(WireError) in
            try reader.integer(UInt32.self, field: "e")
        }
        _ = try reader.list(limit: 4, elementBytesMin: 8, field: "f") {
            (reader) throws(WireError) in
            try reader.integer(UInt64.self, field: "f")
        }
        _ = try reader.integer(Int64.self, field: "g")
        try reader.finish()
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
        #expect(try reader.integer(Int64.self, field: "g") == -2)
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
            try reader.counted(limit: 10, field: "x")
        }
        var list = ByteReader([4, 0, 0, 0, 1])
        #expect(throws: WireError.truncated(field: "x", needed: 32, available: 1)) {
            try list.list(limit: 4, elementBytesMin: 8, field: "x") { (reader) throws(WireError) in
                try reader.integer(UInt64.self, field: "x")
            }
        }
    }

    @Test("Text must be UTF-8 and a Boolean 0 or 1")
    func values() {
        var text = ByteReader([1, 0, 0, 0, 0xff])
        #expect(throws: WireError.invalidText(field: "t")) { try text.text(limit: 4, field: "t") }
        var bool = ByteReader([2])
        #expect(throws: WireError.invalid(field: "b", value: 2)) { try bool.bool(field: "b") }
    }

    @Test("CRC-32C has the check value of its definition")
    func checksum() {
        #expect(CRC32C.checksum("123456789".utf8) == 0xE306_9283)
        #expect(CRC32C.checksum([]) == 0)
    }
}
