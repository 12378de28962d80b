// How the words of Model look as bytes in this protocol.

import Model
import Ownership
import Wire

extension ByteWriter {
    mutating func write(_ digest: MemoryDigest) {
        write(digest.low)
        write(digest.high)
    }

    /// Whole nanoseconds.
    mutating func write(_ duration: Duration) { write(duration.wholeNanoseconds) }
}

extension ByteReader {
    mutating func digest() throws(WireError) -> MemoryDigest {
        MemoryDigest(low: try integer(field: "root"), high: try integer(field: "digest"))
    }

    mutating func duration() throws(WireError) -> Duration {
        let nanoseconds: Int64 = try integer(field: "duration")
        guard nanoseconds >= 0 else {
            throw .invalid(field: "duration", value: UInt64(bitPattern: nanoseconds))
        }
        return .nanoseconds(nanoseconds)
    }

    mutating func round() throws(WireError) -> Int { Int(try integer(UInt32.self, field: "round")) }

    mutating func token() throws(WireError) -> [UInt8] {
        Array(try raw(Limits.tokenBytes, field: "token"))
    }

    mutating func vmName() throws(WireError) -> VMName {
        let text = try text(limit: 63, field: "VM name")
        do { return try VMName(text) } catch { throw .invalidText(field: "VM name") }
    }
}

extension MigrationRefusal {
    func write(to writer: inout ByteWriter) {
        writer.write(code.rawValue)
        writer.write(clipped(text, to: Limits.textBytesMax))
        writer.write(list: Array(details.prefix(Limits.detailsMax))) {
            $0.write(clipped($1, to: Limits.detailBytesMax))
        }
    }

    init(from reader: inout ByteReader) throws(WireError) {
        let number: UInt16 = try reader.integer(field: "refusal")
        guard let code = Code(rawValue: number) else {
            throw .invalid(field: "refusal", value: UInt64(number))
        }
        let text = try reader.text(limit: Limits.textBytesMax, field: "refusal text")
        let details = try reader.list(
            limit: Limits.detailsMax, elementBytesMin: 4, field: "refusal details"
        ) { (reader) throws(WireError) in
            try reader.text(limit: Limits.detailBytesMax, field: "refusal detail")
        }
        self.init(code, text, details: details)
    }
}

extension MigrationOffer {
    func write(to writer: inout ByteWriter) {
        writer.write(migration)
        writer.write(vm)
        writer.write(epoch.number)
        writer.write(UInt16(streams))
        writer.write(hashSeed)
        // One that is not leased looks as it did in version 2.
        writer.write(UInt8(isRehearsal ? 1 : 0) | UInt8(spec.isLeased ? 2 : 0))
        writer.write(spec.name.text)
        writer.write(spec.memory.bytes)
        writer.write(UInt16(spec.vcpus))
        writer.write(spec.hugePages)
        writer.write(spec.downtimeLimit.duration)
        writer.write(spec.commandLine ?? "")
        spec.kernel.write(to: &writer)
        writer.write(list: cpuFeatures.names) { $0.write($1) }
    }

    init(from reader: inout ByteReader) throws(WireError) {
        let migration = try reader.identifier()
        let vm = try reader.identifier()
        let epoch = try reader.epoch()
        let streams: UInt16 = try reader.integer(field: "streams")
        guard (1...Limits.streamsMax).contains(Int(streams)) else {
            throw .invalid(field: "streams", value: UInt64(streams))
        }
        let seed: UInt64 = try reader.integer(field: "hash seed")
        let flags: UInt8 = try reader.integer(field: "flags")
        guard flags <= 3 else { throw .invalid(field: "flags", value: UInt64(flags)) }
        let spec = VMSpec(
            name: try reader.vmName(), memory: ByteCount(try reader.integer(field: "memory")),
            vcpus: Int(try reader.integer(UInt16.self, field: "vcpus")),
            hugePages: try reader.bool(field: "huge pages"),
            downtimeLimit: DowntimeLimit(try reader.duration()),
            commandLine: try reader.text(
                limit: VMSpec.commandLineBytesMax, field: "command line"),
            kernel: try KernelSource(from: &reader), isLeased: flags & 2 != 0)
        let features = try reader.list(
            limit: Limits.featuresMax, elementBytesMin: 4, field: "features"
        ) { (reader) throws(WireError) in
            try reader.text(limit: Limits.featureBytesMax, field: "feature")
        }
        self.init(
            migration: migration, vm: vm, epoch: epoch, spec: spec,
            cpuFeatures: CPUFeatures(features), streams: Int(streams), hashSeed: seed,
            isRehearsal: flags & 1 != 0)
    }
}

extension KernelSource {
    fileprivate func write(to writer: inout ByteWriter) {
        switch self {
        case .unknown: writer.write(UInt8(0))
        case .shipped: writer.write(UInt8(1))
        case .files(let kernel, let initrd):
            writer.write(UInt8(2))
            writer.write(kernel)
            writer.write(optional: initrd) { $0.write($1) }
        }
    }

    fileprivate init(from reader: inout ByteReader) throws(WireError) {
        let kind: UInt8 = try reader.integer(field: "kind of kernel")
        switch kind {
        case 0: self = .unknown
        case 1: self = .shipped
        case 2:
            self = .files(
                kernel: try reader.text(limit: Self.pathBytesMax, field: "kernel"),
                initrd: try reader.optional(field: "initrd") { (reader) throws(WireError) in
                    try reader.text(limit: Self.pathBytesMax, field: "initrd")
                })
        default: throw .invalid(field: "kind of kernel", value: UInt64(kind))
        }
    }
}

/// A text cut to what a reader accepts, at a character's end.
private func clipped(_ text: String, to limit: Int) -> String {
    if text.utf8.count <= limit { return text }
    var clipped = ""
    var count = 0
    for character in text {
        count += character.utf8.count
        if count > limit { break }
        clipped.append(character)
    }
    return clipped
}
