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
        header.writeBytes(raw: "FERRYST\n".utf8)
        header.writeBytes(raw: [1, 0, 0, 0, 2, 0, 0, 0, UInt8(body.count), 0, 0, 0, 0, 0, 0, 0])
        header.writeInteger(CRC32C.checksum(of: body))
        header.writeInteger(CRC32C.checksum(of: header.bytes))
        #expect(StateBlob.encodeSections(sections) == header.bytes + body)
    }

    @Test("What was written is read")
    func roundTrip() throws {
        #expect(try StateBlob.decodeSections(from: StateBlob.encodeSections(sections)) == sections)
        #expect(try StateBlob.decodeSections(from: StateBlob.encodeSections([])) == [])
    }

    @Test("Cut off anywhere, or with a byte more, it is refused")
    func truncated() {
        let bytes = StateBlob.encodeSections(sections)
        for count in bytes.indices {
            #expect(throws: StateError.self) {
                try StateBlob.decodeSections(from: Array(bytes.prefix(count)))
            }
        }
        #expect(throws: StateError.self) { try StateBlob.decodeSections(from: bytes + [0]) }
    }

    @Test("With any one bit changed it is refused")
    func flipped() {
        let bytes = StateBlob.encodeSections(sections)
        for bit in 0..<bytes.count * 8 {
            var damaged = bytes
            damaged[bit / 8] ^= 1 << UInt8(bit % 8)
            #expect(throws: StateError.self) { try StateBlob.decodeSections(from: damaged) }
        }
    }

    @Test("A later version is refused as such, before its sections are read")
    func otherVersion() {
        var bytes = StateBlob.encodeSections(sections)
        bytes[8] = 2
        var sum = ByteWriter()
        sum.writeInteger(CRC32C.checksum(of: bytes[..<28]))
        bytes.replaceSubrange(28..<32, with: sum.bytes)
        #expect(throws: StateError(part: "header", reason: .wrongVersion(found: 2, known: 1))) {
            try StateBlob.decodeSections(from: bytes)
        }
    }
}
