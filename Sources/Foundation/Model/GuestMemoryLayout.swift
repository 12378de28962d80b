// Where a guest's RAM lies: in the guest's physical addresses and in the file that backs it.
//
//   guest physical   0 ........ 3 GiB | hole: devices | 4 GiB ............
//   backing file     0 ........ 3 GiB                 | 3 GiB ............
//
// The file has no hole: page i of the file is page i everywhere in Ferry (dirty bits, hashes, the wire).

/// The size of a guest page in bytes.
public let pageBytes = 4096

/// One piece of RAM: contiguous in the guest and in the backing file.
public struct MemorySlot: Hashable, Sendable, Codable {
    /// Guest physical address of the first byte; a multiple of the page size.
    public let guestAddress: UInt64
    /// Offset of that byte in the backing file; a multiple of the page size.
    public let fileOffset: UInt64
    /// Bytes; a multiple of the page size.
    public let bytes: UInt64

    public init(guestAddress: UInt64, fileOffset: UInt64, bytes: UInt64) {
        self.guestAddress = guestAddress
        self.fileOffset = fileOffset
        self.bytes = bytes
    }

    /// The slot's pages, by index in the backing file.
    public var pages: Range<Int> {
        let first = Int(fileOffset) / pageBytes
        return first..<(first + Int(bytes) / pageBytes)
    }
}

/// The RAM of a guest, from its size alone: the same size has the same layout on every host.
public struct GuestMemoryLayout: Hashable, Sendable, Codable {
    /// RAM below this address; from here to 4 GiB are devices (IOAPIC, LAPIC, MMIO).
    public static let holeStart: UInt64 = 3 << 30
    public static let holeEnd: UInt64 = 4 << 30
    public static let bytesMin = ByteCount.mebibytes(16)
    public static let bytesMax = ByteCount.gibibytes(1024)

    public let slots: [MemorySlot]

    /// Nil when the size is out of bounds or not a multiple of 2 MiB.
    public init?(memory: ByteCount) {
        guard memory >= Self.bytesMin, memory <= Self.bytesMax, memory.bytes % (2 << 20) == 0
        else { return nil }
        let low = min(memory.bytes, Self.holeStart)
        var slots = [MemorySlot(guestAddress: 0, fileOffset: 0, bytes: low)]
        if memory.bytes > low {
            slots.append(
                MemorySlot(
                    guestAddress: Self.holeEnd, fileOffset: low, bytes: memory.bytes - low))
        }
        self.slots = slots
    }

    public var memory: ByteCount { ByteCount(slots.reduce(0) { $0 + $1.bytes }) }
    public var pageCount: Int { Int(memory.bytes) / pageBytes }

    /// The offset in the backing file of a guest physical range, nil when it is not all RAM of one slot.
    public func fileOffset(ofGuestAddress address: UInt64, count: UInt64) -> UInt64? {
        for slot in slots where address >= slot.guestAddress {
            let offset = address - slot.guestAddress
            if offset < slot.bytes, count <= slot.bytes - offset {
                return slot.fileOffset + offset
            }
        }
        return nil
    }
}
