// A Linux bzImage by the 32-bit boot protocol (Linux, Documentation/arch/x86/boot.rst).
//
// The 32-bit entry is there in every bzImage, asks for no page tables, and leaves the CPU as PVH's entry
// wants it; so there is one way to start a guest and not two.

/// A parsed bzImage. Every field is checked; nothing is loaded yet.
struct BzImage: Sendable {
    /// Where the protected-mode code is loaded and begins.
    static let loadAddress: UInt64 = 1 << 20

    /// The setup header's bytes, to be copied into the boot parameters at the same offset.
    let setupHeader: [UInt8]
    static let setupHeaderOffset = 0x1f1
    /// Where the protected-mode code begins in the file.
    let codeOffset: Int
    let commandLineBytesMax: Int
    /// The last address that an initrd may reach.
    let initrdAddressMax: UInt64
    /// The kernel needs memory up to here to unpack itself.
    let memoryEnd: UInt64

    static func hasSignature(in image: ImageBytes) -> Bool {
        // "HdrS". A file too short to have it is no kernel.
        (try? image.readInteger(as: UInt32.self, at: 0x202, field: "magic")) == 0x5372_6448
    }

    init(_ image: ImageBytes) throws(KernelError) {
        let flag = try image.readInteger(as: UInt16.self, at: 0x1fe, field: "boot flag")
        guard flag == 0xaa55 else { throw .invalid(field: "boot flag", value: UInt64(flag)) }
        let version = try image.readInteger(
            as: UInt16.self, at: 0x206, field: "boot protocol version")
        guard version >= 0x0206 else {
            throw .invalid(field: "boot protocol version", value: UInt64(version))
        }
        let loadFlags = try image.readInteger(as: UInt8.self, at: 0x211, field: "load flags")
        guard loadFlags & 1 == 1 else {
            throw .invalid(field: "load flags", value: UInt64(loadFlags))
        }
        let sectors = Int(try image.readInteger(as: UInt8.self, at: 0x1f1, field: "setup sectors"))
        codeOffset = ((sectors == 0 ? 4 : sectors) + 1) * 512
        let codeBytes = UInt64(max(0, image.bytes.count - codeOffset))
        guard codeBytes > 0 else { throw .truncated(field: "protected-mode code") }

        let headerEnd =
            0x202 + Int(try image.readInteger(as: UInt8.self, at: 0x201, field: "setup header"))
        // Boot parameters have room for the header up to here.
        guard headerEnd <= 0x290, headerEnd >= 0x23c else {
            throw .invalid(field: "setup header's end", value: UInt64(headerEnd))
        }
        setupHeader = Array(
            try image.readSlice(
                at: UInt64(Self.setupHeaderOffset), count: headerEnd - Self.setupHeaderOffset,
                field: "setup header"))
        initrdAddressMax = UInt64(
            try image.readInteger(as: UInt32.self, at: 0x22c, field: "initrd limit"))
        commandLineBytesMax = Int(
            try image.readInteger(as: UInt32.self, at: 0x238, field: "command line limit"))
        memoryEnd = try Self.requiredMemoryEnd(of: image, version: version, codeBytes: codeBytes)
    }

    private static func requiredMemoryEnd(
        of image: ImageBytes, version: UInt16, codeBytes: UInt64
    ) throws(KernelError) -> UInt64 {
        guard version >= 0x020a else { return loadAddress + codeBytes }
        let preferred = try image.readInteger(
            as: UInt64.self, at: 0x258, field: "preferred address")
        let size = try image.readInteger(as: UInt32.self, at: 0x260, field: "initial size")
        guard preferred <= 1 << 32 else {
            throw .invalid(field: "preferred address", value: preferred)
        }
        return max(loadAddress + codeBytes, max(preferred, loadAddress) + UInt64(size))
    }
}
