import Host
import Machine
import Model
import Testing
import Wire

@Suite("Loading a kernel")
struct LoaderTests {
    private func memory(_ size: ByteCount = .mebibytes(16)) throws -> GuestMemory {
        try GuestMemory(try #require(GuestMemoryLayout(memory: size)), hugePages: false)
    }

    private func load(
        _ image: [UInt8], initrd: [UInt8]? = nil, commandLine: String = "",
        into memory: GuestMemory
    ) throws -> EntryPoint {
        try Loader(memory: memory, vcpus: 2).loadGuest(
            from: TinyKernel.source(image, initrd: initrd, commandLine: commandLine))
    }

    private func word(_ memory: GuestMemory, _ address: UInt64) throws -> UInt64 {
        var reader = ByteReader(try #require(memory.readBytes(at: address, count: 8)))
        return try reader.readInteger(field: "word")
    }

    @Test("An ELF kernel with a PVH note is placed, and told of everything")
    func elf() throws {
        let memory = try memory()
        let entry = try load(
            TinyKernel.elf([0xf4, 0x90]), initrd: [1, 2, 3], commandLine: "a=b", into: memory)
        #expect(entry == EntryPoint(address: 0x10_0000, rbx: 0x6000, rsi: 0))
        #expect(memory.readBytes(at: 0x10_0000, count: 2) == [0xf4, 0x90])
        #expect(try word(memory, 0x6000) == 1 << 32 | 0x336e_c578)
        let commandLine = try word(memory, 0x6018)
        #expect(memory.readBytes(at: commandLine, count: 4) == Array("a=b\0".utf8))
        let modules = try word(memory, 0x6010)
        #expect(try memory.readBytes(at: word(memory, modules), count: 3) == [1, 2, 3])
        #expect(try word(memory, modules + 8) == 3)
        // The memory map ends where memory does.
        let map = try word(memory, 0x6028)
        #expect(try word(memory, map + 48) + word(memory, map + 56) == 16 << 20)
    }

    @Test("Memory above the hole is in the map")
    func highMemory() throws {
        let memory = try memory(.gibibytes(4))
        _ = try load(TinyKernel.elf([0xf4]), into: memory)
        let map = try word(memory, 0x6028)
        #expect(try word(memory, map + 48) + word(memory, map + 56) == 3 << 30)
        #expect(try word(memory, map + 72) == 4 << 30)
        #expect(try word(memory, map + 80) == 1 << 30)
    }

    @Test("The MP table's sums are right and it lists every CPU")
    func mpTable() throws {
        let memory = try memory()
        _ = try load(TinyKernel.elf([0xf4]), into: memory)
        let pointer = try #require(memory.readBytes(at: 0xf_0000, count: 16))
        #expect(pointer.starts(with: Array("_MP_".utf8)))
        #expect(pointer.reduce(0, &+) == 0)
        let head = try #require(memory.readBytes(at: 0xf_0010, count: 44))
        let table = try #require(
            memory.readBytes(at: 0xf_0010, count: Int(head[4]) | Int(head[5]) << 8))
        #expect(table.starts(with: Array("PCMP".utf8)))
        #expect(table.reduce(0, &+) == 0)
        #expect(table[45] == 0 && table[47] == 3)  // the CPU that boots
        #expect(table[65] == 1 && table[67] == 1)
    }

    @Test(
        "What is no kernel is refused in words",
        arguments: [[], [1, 2, 3], Array("#!/bin/sh".utf8)])
    func noKernel(bytes: [UInt8]) throws {
        #expect(throws: KernelError.notAKernel) { try load(bytes, into: memory()) }
    }

    @Test("An ELF file cut off anywhere in its headers is refused")
    func truncatedELF() throws {
        let image = TinyKernel.elf([0xf4])
        let memory = try memory()
        for count in 4..<image.count {
            #expect(throws: KernelError.self) { try load(Array(image.prefix(count)), into: memory) }
        }
    }

    @Test("An ELF file with any byte of its headers set to ff never traps")
    func damagedELF() throws {
        let image = TinyKernel.elf([0xf4])
        let memory = try memory()
        for index in image.indices {
            var damaged = image
            damaged[index] = 0xff
            // Some bytes do not matter; what counts is that nothing traps.
            _ = try? load(damaged, into: memory)
        }
    }

    @Test("A kernel or an initrd that does not fit is refused")
    func tooLarge() throws {
        var image = TinyKernel.elf([0xf4])
        image.replaceSubrange(64 + 40..<64 + 48, with: [0, 0, 0, 1, 0, 0, 0, 0])  // 16 MiB
        #expect(throws: KernelError.self) { try load(image, into: memory()) }
        #expect(throws: KernelError.self) {
            try load(
                TinyKernel.elf([0xf4]), initrd: [UInt8](repeating: 1, count: 15 << 20),
                into: memory())
        }
    }

    @Test("A bzImage is placed by the 32-bit protocol, with its boot parameters")
    func bzImage() throws {
        let memory = try memory()
        let entry = try load(Self.bzImage, initrd: [9], commandLine: "quiet", into: memory)
        #expect(entry == EntryPoint(address: 0x10_0000, rbx: 0, rsi: 0x7000))
        #expect(memory.readBytes(at: 0x10_0000, count: 2) == [0xfa, 0xf4])
        #expect(memory.readBytes(at: 0x7210, count: 1) == [0xff])
        #expect(memory.readBytes(at: 0x71e8, count: 1) == [3])
        #expect(try word(memory, 0x7228) & 0xffff_ffff == 0x2_0000)
        #expect(try word(memory, 0x721c) & 0xffff_ffff == 1)
        #expect(throws: KernelError.commandLineTooLong(bytes: 300, limit: 255)) {
            try load(
                Self.bzImage, commandLine: String(repeating: "x", count: 300), into: memory)
        }
    }

    @Test("A bzImage cut off anywhere in its header is refused; damaged it never traps")
    func damagedBzImage() throws {
        let memory = try memory()
        for count in 0x206..<1024 {
            #expect(throws: KernelError.self) {
                try load(Array(Self.bzImage.prefix(count)), into: memory)
            }
        }
        for index in 0x1f1..<0x270 {
            var damaged = Self.bzImage
            damaged[index] = 0xff
            // Some bytes do not matter; what counts is that nothing traps.
            _ = try? load(damaged, into: memory)
        }
    }

    /// The least that is one: a setup sector, and two instructions.
    private static let bzImage: [UInt8] = {
        var image = [UInt8](repeating: 0, count: 1024)
        func put(_ value: some FixedWidthInteger, at offset: Int) {
            var writer = ByteWriter()
            writer.writeInteger(value)
            image.replaceSubrange(offset..<(offset + writer.bytes.count), with: writer.bytes)
        }
        put(UInt8(1), at: 0x1f1)
        put(UInt16(0xaa55), at: 0x1fe)
        put(UInt8(0x66), at: 0x201)
        put(UInt32(0x5372_6448), at: 0x202)
        put(UInt16(0x020f), at: 0x206)
        put(UInt8(1), at: 0x211)
        put(UInt32(0x7fff_ffff), at: 0x22c)
        put(UInt32(255), at: 0x238)
        put(UInt64(0x10_0000), at: 0x258)
        put(UInt32(0x10_0000), at: 0x260)
        return image + [0xfa, 0xf4]
    }()
}
