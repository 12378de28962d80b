import Host
import Machine
import Model
import Testing
import VMControl

@Suite("A saved VM's file")
struct SavedFileTests {
    private let header: SavedFileHeader
    private let memory: GuestMemory
    private let file: [UInt8]

    init() throws {
        header = SavedFileHeader(
            id: VMID(high: 1, low: 2),
            spec: VMSpec(
                name: try VMName("saved"), memory: .mebibytes(16), commandLine: "x",
                kernel: .unknown))
        let layout = try #require(GuestMemoryLayout(memory: .mebibytes(16)))
        memory = try GuestMemory(layout, hugePages: false)
        for page in [0, 1, 5, 700, 4095] {
            memory.writeBytes([UInt8(page % 251), 7], at: UInt64(page * pageBytes + 9))
        }
        memory.writeBytes([0], at: 0x40_0000)  // touched, and still zero
        file = try Self.write(header, memory)
    }

    private static func write(_ header: SavedFileHeader, _ memory: GuestMemory) throws -> [UInt8] {
        let file = try MemoryFile.createGrowing(name: "saved")
        try SavedFileWriter(file: file).writeMachine(
            header: header, state: StateBlob.encodeSections([]), memory: memory)
        return try file.readBytes(at: 0, count: file.sizeInBytes())
    }

    /// Reads a whole file into fresh memory.
    private func read(_ bytes: [UInt8]) throws -> (SavedFileHeader, GuestMemory) {
        let copy = try MemoryFile.createGrowing(name: "copy")
        try copy.writeAllBytes(bytes)
        let reader = try SavedFileReader(rewound(copy))
        let fresh = try GuestMemory(memory.layout, hugePages: false)
        try reader.readMemory(into: fresh.mapping, layout: fresh.layout)
        return (reader.header, fresh)
    }

    @Test("What was saved is restored, and zero pages take no room")
    func roundTrip() throws {
        let (restored, fresh) = try read(file)
        #expect(restored == header)
        let size = Int(memory.layout.memory.bytes)
        #expect(fresh.readBytes(at: 0, count: size) == memory.readBytes(at: 0, count: size))
        #expect(file.count < 5 * pageBytes + 1024)
    }

    @Test("Cut off anywhere it is refused, and the part is named")
    func truncated() throws {
        let start = file.count - 5 * pageBytes - 128
        let counts = Array(0..<max(0, start)) + Array(stride(from: start, to: file.count, by: 97))
        for count in counts + [file.count - 1] {
            #expect(throws: SavedFileError.self) { try read(Array(file.prefix(count))) }
        }
        #expect(throws: SavedFileError.truncated(part: "memory from page 0 on")) {
            try read(Array(file.prefix(file.count - 5 * pageBytes - 5 * 16 + 8)))
        }
    }

    @Test("With any one bit changed it is refused")
    func flipped() throws {
        let head = file.count - 5 * pageBytes
        for byte in Array(0..<head) + Array(stride(from: head, to: file.count, by: 61)) {
            var damaged = file
            damaged[byte] ^= 1 << UInt8(byte % 8)
            #expect(throws: SavedFileError.self) { try read(damaged) }
        }
    }

    @Test("A file of something else is said to be that")
    func otherFile() {
        #expect(throws: SavedFileError.notASavedVM) {
            try read(Array("a text of more than sixteen bytes".utf8))
        }
    }
}
