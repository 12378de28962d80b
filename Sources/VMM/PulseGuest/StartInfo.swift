/// What a PVH loader hands over (`hvm_start_info` of the Xen PVH boot protocol, version 1): the
/// command line and the map of memory. It lies in memory that the guest will fill: read it first.
struct StartInfo {
    struct Range {
        var start: UInt64
        var end: UInt64
    }

    private let address: UInt64

    /// Nil if there is none, or one without a map of memory.
    init?(at address: UInt64) {
        self.address = address
        guard readUInt32(at: 0) == 0x336e_c578, readUInt32(at: 4) >= 1, mapCount > 0 else {
            return nil
        }
    }

    var commandLine: Text {
        guard let bytes = UnsafePointer<UInt8>(bitPattern: UInt(readUInt64(at: 24))) else {
            return Text("")
        }
        return Text(terminatedAt: bytes, limit: 2048)
    }

    /// Usable memory, in the order of the map.
    func forEachUsableRange(body: (Range) -> Void) {
        for index in 0..<mapCount {
            let entry = UnsafeRawPointer(bitPattern: UInt(readUInt64(at: 40) + 24 * UInt64(index)))!
            let start = entry.loadUnaligned(as: UInt64.self)
            let size = entry.loadUnaligned(fromByteOffset: 8, as: UInt64.self)
            let kind = entry.loadUnaligned(fromByteOffset: 16, as: UInt32.self)
            if kind == 1 { body(Range(start: start, end: start &+ size)) }
        }
    }

    private var mapCount: UInt32 { min(readUInt32(at: 48), 128) }

    private func readUInt32(at offset: Int) -> UInt32 {
        UnsafeRawPointer(bitPattern: UInt(address))!.loadUnaligned(
            fromByteOffset: offset, as: UInt32.self)
    }

    private func readUInt64(at offset: Int) -> UInt64 {
        UnsafeRawPointer(bitPattern: UInt(address))!.loadUnaligned(
            fromByteOffset: offset, as: UInt64.self)
    }
}
