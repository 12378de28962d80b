// Kernels of a few instructions: an ELF file with a PVH note around hand-assembled 32-bit code.

import Host
import Machine
import Wire

enum TinyKernel {
    static let codeAddress: UInt32 = 0x10_0000

    /// - Parameter code: runs at `codeAddress` in 32-bit protected mode.
    static func elf(_ code: [UInt8]) -> [UInt8] {
        var note = ByteWriter()
        for word in [UInt32(4), 4, 18] { note.writeInteger(word) }
        note.writeBytes(raw: "Xen\0".utf8)
        note.writeInteger(codeAddress)
        let headersEnd: UInt64 = 64 + 2 * 56
        let codeOffset = headersEnd + UInt64(note.bytes.count)

        var file = ByteWriter()
        file.writeBytes(raw: [0x7f, 0x45, 0x4c, 0x46, 2, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0])
        file.writeInteger(UInt16(2))  // executable
        file.writeInteger(UInt16(62))  // x86-64
        file.writeInteger(UInt32(1))
        file.writeInteger(UInt64(codeAddress))
        file.writeInteger(UInt64(64))  // program headers
        file.writeInteger(UInt64(0))
        file.writeInteger(UInt32(0))
        for half in [UInt16(64), 56, 2, 64, 0, 0] { file.writeInteger(half) }
        header(
            1, offset: codeOffset, address: UInt64(codeAddress), count: UInt64(code.count), &file)
        header(4, offset: headersEnd, address: 0, count: UInt64(note.bytes.count), &file)
        file.writeBytes(raw: note.bytes)
        file.writeBytes(raw: code)
        return file.bytes
    }

    private static func header(
        _ type: UInt32, offset: UInt64, address: UInt64, count: UInt64, _ file: inout ByteWriter
    ) {
        file.writeInteger(type)
        file.writeInteger(UInt32(5))
        for word in [offset, address, address, count, count, 4096] { file.writeInteger(word) }
    }

    static func source(
        _ image: [UInt8], initrd: [UInt8]? = nil, commandLine: String = ""
    ) throws -> BootSource {
        BootSource(
            kernel: try file(image), initrd: try initrd.map { try file($0) },
            commandLine: commandLine)
    }

    private static func file(_ bytes: [UInt8]) throws -> Descriptor {
        let file = try MemoryFile.createGrowing(name: "test-kernel")
        try file.writeAllBytes(bytes)
        return file
    }
}

/// A little assembler: enough for the programs of these tests.
struct Program {
    private(set) var code: [UInt8] = []

    var address: UInt32 { TinyKernel.codeAddress + UInt32(code.count) }

    mutating func bytes(_ bytes: [UInt8]) { code += bytes }

    mutating func out(port: UInt16, byte: UInt8) {
        bytes([0x66, 0xba] + little(port) + [0xb0, byte, 0xee])
    }

    mutating func print(_ text: String) {
        for byte in text.utf8 { out(port: 0x3f8, byte: byte) }
    }

    mutating func powerOff() {
        bytes([0x66, 0xba, 0x04, 0x06, 0x66, 0xb8, 0x00, 0x20, 0x66, 0xef])
        halt()
    }

    /// Interrupts are off: for ever.
    mutating func halt() { bytes([0xf4, 0xeb, 0xfd]) }

    mutating func jump(to target: UInt32) {
        bytes([0xe9] + little(target &- (address + 5)))
    }

    /// Spins until there is serial input, then reads a byte of it into AL.
    mutating func readSerial() {
        bytes([0x66, 0xba] + little(UInt16(0x3fd)))
        bytes([0xec, 0xa8, 0x01, 0x74, 0xfb])  // in al, dx; test al, 1; jz back
        bytes([0x66, 0xba] + little(UInt16(0x3f8)) + [0xec])
    }

    /// Writes AL to the serial port.
    mutating func writeSerial() { bytes([0x66, 0xba] + little(UInt16(0x3f8)) + [0xee]) }

    mutating func store(_ value: UInt32, at address: UInt32) {
        bytes([0xc7, 0x05] + little(address) + little(value))
    }

    func little<Value: FixedWidthInteger>(_ value: Value) -> [UInt8] {
        (0..<(Value.bitWidth / 8)).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
    }
}
