// An ELF kernel with a PVH note: what to load where, and where to begin (Xen's PVH boot protocol).

/// A parsed ELF file, 32 or 64 bits, for x86. Every field is checked; nothing is loaded yet.
struct ELFImage: Sendable {
    struct Segment: Hashable, Sendable {
        var fileOffset: UInt64
        var physicalAddress: UInt64
        var fileBytes: UInt64
        var memoryBytes: UInt64
    }

    static let magic: [UInt8] = [0x7f, 0x45, 0x4c, 0x46]
    private static let pvhNoteType: UInt32 = 18

    let segments: [Segment]
    /// Where a 32-bit CPU starts, in physical memory.
    let entry: UInt32

    init(_ image: ImageBytes) throws(KernelError) {
        let headers = try Self.readProgramHeaders(from: image)
        var entry: UInt32?
        var segments: [Segment] = []
        for header in headers {
            switch header.type {
            case 1 where header.memoryBytes > 0:
                segments.append(try Self.makeSegment(for: header, in: image))
            case 4 where entry == nil: entry = try Self.readPVHEntry(from: header, of: image)
            default: break
            }
        }
        guard !segments.isEmpty else { throw .truncated(field: "loadable segments") }
        guard let entry else { throw .noPVHNote }
        self.segments = segments
        self.entry = entry
    }

    private struct ProgramHeader {
        var type: UInt32
        var offset: UInt64
        var physicalAddress: UInt64
        var fileBytes: UInt64
        var memoryBytes: UInt64
    }

    private static func readProgramHeaders(
        from image: ImageBytes
    ) throws(KernelError) -> [ProgramHeader] {
        let kind = try image.readInteger(as: UInt8.self, at: 4, field: "ELF class")
        guard kind == 1 || kind == 2 else {
            throw .invalid(field: "ELF class", value: UInt64(kind))
        }
        let isWide = kind == 2
        let machine = try image.readInteger(as: UInt16.self, at: 18, field: "ELF machine")
        guard machine == 62 || machine == 3 else {
            throw .invalid(field: "ELF machine", value: UInt64(machine))
        }
        let table =
            isWide
            ? try image.readInteger(as: UInt64.self, at: 32, field: "program header table")
            : UInt64(try image.readInteger(as: UInt32.self, at: 28, field: "program header table"))
        let size = try image.readInteger(
            as: UInt16.self, at: isWide ? 54 : 42, field: "program header size")
        guard size == (isWide ? 56 : 32) else {
            throw .invalid(field: "program header size", value: UInt64(size))
        }
        let count = Int(
            try image.readInteger(as: UInt16.self, at: isWide ? 56 : 44, field: "program headers"))
        guard count > 0, count <= Limits.programHeadersMax else {
            throw .invalid(field: "number of program headers", value: UInt64(count))
        }
        _ = try image.readSlice(at: table, count: count * Int(size), field: "program header table")
        var headers: [ProgramHeader] = []
        for index in 0..<count {
            headers.append(
                try readProgramHeader(at: Int(table) + index * Int(size), of: image, isWide: isWide)
            )
        }
        return headers
    }

    private static func readProgramHeader(
        at start: Int, of image: ImageBytes, isWide: Bool
    ) throws(KernelError) -> ProgramHeader {
        func readField(wideOffset wide: Int, narrowOffset narrow: Int) throws(KernelError) -> UInt64
        {
            isWide
                ? try image.readInteger(as: UInt64.self, at: start + wide, field: "program header")
                : UInt64(
                    try image.readInteger(
                        as: UInt32.self, at: start + narrow, field: "program header"))
        }
        return ProgramHeader(
            type: try image.readInteger(as: UInt32.self, at: start, field: "program header"),
            offset: try readField(wideOffset: 8, narrowOffset: 4),
            physicalAddress: try readField(wideOffset: 24, narrowOffset: 12),
            fileBytes: try readField(wideOffset: 32, narrowOffset: 16),
            memoryBytes: try readField(wideOffset: 40, narrowOffset: 20))
    }

    private static func makeSegment(
        for header: ProgramHeader, in image: ImageBytes
    ) throws(KernelError) -> Segment {
        guard header.fileBytes <= header.memoryBytes else {
            throw .invalid(field: "segment's size in the file", value: header.fileBytes)
        }
        _ = try image.readSlice(at: header.offset, count: header.fileBytes, field: "segment")
        return Segment(
            fileOffset: header.offset, physicalAddress: header.physicalAddress,
            fileBytes: header.fileBytes, memoryBytes: header.memoryBytes)
    }

    /// Walks a note segment: name size, description size, type, then both padded to four bytes.
    private static func readPVHEntry(
        from header: ProgramHeader, of image: ImageBytes
    ) throws(KernelError) -> UInt32? {
        guard header.fileBytes <= Limits.noteBytesMax else {
            throw .tooLarge(
                what: "note segment", bytes: Int(clamping: header.fileBytes),
                limit: Limits.noteBytesMax)
        }
        let notes = ImageBytes(
            bytes: Array(
                try image.readSlice(at: header.offset, count: header.fileBytes, field: "notes")))
        var position = 0
        while position + 12 <= notes.bytes.count {
            let nameBytes = Int(try notes.readInteger(as: UInt32.self, at: position, field: "note"))
            let contentBytes = Int(
                try notes.readInteger(as: UInt32.self, at: position + 4, field: "note"))
            let type = try notes.readInteger(as: UInt32.self, at: position + 8, field: "note")
            let content = position + 12 + paddedByteCount(for: nameBytes)
            let name = try notes.readSlice(
                at: UInt64(position + 12), count: nameBytes, field: "note's name")
            if type == pvhNoteType, name.elementsEqual("Xen\0".utf8) {
                guard contentBytes == 4 || contentBytes == 8 else {
                    throw .invalid(field: "PVH note's size", value: UInt64(contentBytes))
                }
                return try notes.readInteger(as: UInt32.self, at: content, field: "PVH entry point")
            }
            position = content + paddedByteCount(for: contentBytes)
        }
        return nil
    }

    private static func paddedByteCount(for count: Int) -> Int { (count + 3) & ~3 }
}
