import Machine
import Testing
import Wire

@Suite("Saved state as bytes")
struct StateBlobTests {
    private let sections = [
        StateSection(name: "vm/clock", bytes: [1, 2, 3]),
        StateSection(name: "device/serial", version: 2, bytes: []),
    ]

    @Test("The bytes are the ones that were fixed")
    func golden() {
        let body: [UInt8] =
            [8, 0, 0, 0] + Array("vm/clock".utf8) + [1, 0, 3, 0, 0, 0, 1, 2, 3]
            + [13, 0, 0, 0] + Array("device/serial".utf8) + [2, 0, 0, 0, 0, 0]
        var header = ByteWriter()
        header.write(raw: "FERRYST\n".utf8)
        header.write(raw: [1, 0, 0, 0, 2, 0, 0, 0, UInt8(body.count), 0, 0, 0, 0, 0, 0, 0])
        header.write(CRC32C.checksum(body))
        header.write(CRC32C.checksum(header.bytes))
        #expect(StateBlob.encode(sections) == header.bytes + body)
    }

    @Test("What was written is read")
    func roundTrip() throws {
        #expect(try StateBlob.decode(StateBlob.encode(sections)) == sections)
        #expect(try StateBlob.decode(StateBlob.encode([])) == [])
    }

    @Test("Cut off anywhere, or with a byte more, it is refused")
    func truncated() {
        let bytes = StateBlob.encode(sections)
        for count in bytes.indices {
            #expect(throws: StateError.self) { try StateBlob.decode(Array(bytes.prefix(count))) }
        }
        #expect(throws: StateError.self) { try StateBlob.decode(bytes + [0]) }
    }

    @Test("With any one bit changed it is refused")
    func flipped() {
        let bytes = StateBlob.encode(sections)
        for bit in 0..<bytes.count * 8 {
            var damaged = bytes
            damaged[bit / 8] ^= 1 << UInt8(bit % 8)
            #expect(throws: StateError.self) { try StateBlob.decode(damaged) }
        }
    }

    @Test("A later version is refused as such, before its sections are read")
    func otherVersion() {
        var bytes = StateBlob.encode(sections)
        bytes[8] = 2
        var sum = ByteWriter()
        sum.write(CRC32C.checksum(bytes[..<28]))
        bytes.replaceSubrange(28..<32, with: sum.bytes)
        #expect(throws: StateError(part: "header", .wrongVersion(found: 2, known: 1))) {
            try StateBlob.decode(bytes)
        }
    }
}
