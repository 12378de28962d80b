// The byte encoding of Model's types in this protocol.

import Model
import Ownership
import Wire

extension ByteWriter {
    mutating func writeMemoryDigest(_ digest: MemoryDigest) {
        writeInteger(digest.low)
        writeInteger(digest.high)
    }

    /// Whole nanoseconds.
    mutating func writeDuration(_ duration: Duration) { writeInteger(duration.wholeNanoseconds) }
}

extension ByteReader {
    mutating func readMemoryDigest() throws(WireError) -> MemoryDigest {
        MemoryDigest(low: try readInteger(field: "root"), high: try readInteger(field: "digest"))
    }

    mutating func readDuration() throws(WireError) -> Duration {
        let nanoseconds: Int64 = try readInteger(field: "duration")
        guard nanoseconds >= 0 else {
            throw .invalid(field: "duration", value: UInt64(bitPattern: nanoseconds))
        }
        return .nanoseconds(nanoseconds)
    }

    mutating func readRoundNumber() throws(WireError) -> Int {
        Int(try readInteger(as: UInt32.self, field: "round"))
    }

    mutating func readStreamToken() throws(WireError) -> [UInt8] {
        Array(try readBytes(count: Limits.tokenBytes, field: "token"))
    }

    mutating func readVMName() throws(WireError) -> VMName {
        let text = try readText(limit: 63, field: "VM name")
        do { return try VMName(text) } catch { throw .invalidText(field: "VM name") }
    }
}

extension MigrationRefusal {
    func appendBytes(to writer: inout ByteWriter) {
        writer.writeInteger(code.rawValue)
        writer.writeText(truncatedText(text, byteLimit: Limits.textBytesMax))
        writer.writeList(of: Array(details.prefix(Limits.detailsMax))) {
            $0.writeText(truncatedText($1, byteLimit: Limits.detailBytesMax))
        }
    }

    init(from reader: inout ByteReader) throws(WireError) {
        let number: UInt16 = try reader.readInteger(field: "refusal")
        guard let code = Code(rawValue: number) else {
            throw .invalid(field: "refusal", value: UInt64(number))
        }
        let text = try reader.readText(limit: Limits.textBytesMax, field: "refusal text")
        let details = try reader.readList(
            limit: Limits.detailsMax, elementBytesMin: 4, field: "refusal details"
        ) { (reader) throws(WireError) in
            try reader.readText(limit: Limits.detailBytesMax, field: "refusal detail")
        }
        self.init(code, text: text, details: details)
    }
}

extension MigrationOffer {
    func appendBytes(to writer: inout ByteWriter) {
        writer.writeIdentifier(migration)
        writer.writeIdentifier(vm)
        writer.writeInteger(epoch.number)
        writer.writeInteger(UInt16(streams))
        writer.writeInteger(hashSeed)
        // A spec without a lease has the same encoding as in version 2.
        writer.writeInteger(UInt8(isRehearsal ? 1 : 0) | UInt8(spec.isLeased ? 2 : 0))
        writer.writeText(spec.name.text)
        writer.writeInteger(spec.memory.bytes)
        writer.writeInteger(UInt16(spec.vcpus))
        writer.writeBool(spec.hugePages)
        writer.writeDuration(spec.downtimeLimit.duration)
        writer.writeText(spec.commandLine ?? "")
        spec.kernel.appendBytes(to: &writer)
        writer.writeList(of: cpuFeatures.names) { $0.writeText($1) }
    }

    init(from reader: inout ByteReader) throws(WireError) {
        let migration = try reader.readIdentifier()
        let vm = try reader.readIdentifier()
        let epoch = try reader.readEpoch()
        let streams: UInt16 = try reader.readInteger(field: "streams")
        guard (1...Limits.streamsMax).contains(Int(streams)) else {
            throw .invalid(field: "streams", value: UInt64(streams))
        }
        let seed: UInt64 = try reader.readInteger(field: "hash seed")
        let flags: UInt8 = try reader.readInteger(field: "flags")
        guard flags <= 3 else { throw .invalid(field: "flags", value: UInt64(flags)) }
        let spec = VMSpec(
            name: try reader.readVMName(),
            memory: ByteCount(try reader.readInteger(field: "memory")),
            vcpus: Int(try reader.readInteger(as: UInt16.self, field: "vcpus")),
            hugePages: try reader.readBool(field: "huge pages"),
            downtimeLimit: DowntimeLimit(try reader.readDuration()),
            commandLine: try reader.readText(
                limit: VMSpec.commandLineBytesMax, field: "command line"),
            kernel: try KernelSource(from: &reader), isLeased: flags & 2 != 0)
        let features = try reader.readList(
            limit: Limits.featuresMax, elementBytesMin: 4, field: "features"
        ) { (reader) throws(WireError) in
            try reader.readText(limit: Limits.featureBytesMax, field: "feature")
        }
        self.init(
            migration: migration, vm: vm, epoch: epoch, spec: spec,
            cpuFeatures: CPUFeatures(features), streams: Int(streams), hashSeed: seed,
            isRehearsal: flags & 1 != 0)
    }
}

extension KernelSource {
    fileprivate func appendBytes(to writer: inout ByteWriter) {
        switch self {
        case .unknown: writer.writeInteger(UInt8(0))
        case .shipped: writer.writeInteger(UInt8(1))
        case .files(let kernel, let initrd):
            writer.writeInteger(UInt8(2))
            writer.writeText(kernel)
            writer.writeOptional(value: initrd) { $0.writeText($1) }
        }
    }

    fileprivate init(from reader: inout ByteReader) throws(WireError) {
        let kind: UInt8 = try reader.readInteger(field: "kind of kernel")
        switch kind {
        case 0: self = .unknown
        case 1: self = .shipped
        case 2:
            self = .files(
                kernel: try reader.readText(limit: Self.pathBytesMax, field: "kernel"),
                initrd: try reader.readOptional(field: "initrd") { (reader) throws(WireError) in
                    try reader.readText(limit: Self.pathBytesMax, field: "initrd")
                })
        default: throw .invalid(field: "kind of kernel", value: UInt64(kind))
        }
    }
}

/// A text truncated to the length that a reader accepts, at a character boundary.
private func truncatedText(_ text: String, byteLimit limit: Int) -> String {
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
