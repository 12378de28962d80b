// One vCPU's state as sections. The order is half of the work:
//
//   saving    MP state first, since reading it handles a pending INIT or SIPI; registers before events,
//             since reading them drops what is half injected; LAPIC before MSRs.
//   loading   CPUID decides what the rest may be; system registers before LAPIC (they hold the APIC's
//             base) and before events (both name a pending interrupt); TSC before the LAPIC's deadline
//             timer, which compares with it; the deadline (an MSR) after the LAPIC's mode; events last.

import Host
import KVM
import Model
import Wire

enum VCPUState {
    private static let tsc: UInt32 = 0x10
    private static let tscDeadline: UInt32 = 0x6e0
    /// Parts in the order of saving; those before `lapic` are loaded in this order too.
    private static let beforeLAPIC: [VCPUPart] = [
        .mpState, .registers, .systemRegisters, .xcrs, .xsave, .debugRegisters,
    ]

    static func saveSections(of vcpu: KVMVCPU, msrs: [UInt32]) throws(StateError) -> [StateSection]
    {
        func sectionName(for part: String) -> String { "vcpu\(vcpu.id)/\(part)" }
        var sections: [StateSection] = []
        for kind in beforeLAPIC + [.lapic] {
            let bytes = try withStatePart(named: sectionName(for: kind.rawValue)) {
                () throws(SystemError) in
                try vcpu.partState(of: kind)
            }
            sections.append(StateSection(name: sectionName(for: kind.rawValue), bytes: bytes))
        }
        var frequency = ByteWriter()
        frequency.writeInteger(vcpu.tscKHz)
        sections.append(StateSection(name: sectionName(for: "tsc-khz"), bytes: frequency.bytes))
        let values = try withStatePart(named: sectionName(for: "msrs")) { () throws(SystemError) in
            try vcpu.readMSRs(indices: msrs[...])
        }
        guard values.count == msrs.count else {
            let text = "MSR 0x\(msrs[values.count].hexadecimal) can no longer be read"
            throw StateError(part: sectionName(for: "msrs"), reason: .mismatch(text))
        }
        sections.append(StateSection(name: sectionName(for: "msrs"), bytes: encodeMSRs(values)))
        let events = try withStatePart(named: sectionName(for: "events")) {
            () throws(SystemError) in
            try vcpu.partState(of: .events)
        }
        sections.append(StateSection(name: sectionName(for: "events"), bytes: events))
        return sections
    }

    /// - Parameters:
    ///   - advance: nanoseconds that the TSC is set forward by.
    ///   - setsTSC: false leaves the TSC running as it is.
    static func loadSections(
        of vcpu: KVMVCPU, from reader: inout SectionReader, advance: UInt64, setsTSC: Bool
    ) throws(StateError) {
        let prefix = "vcpu\(vcpu.id)/"
        let khz = try reader.decodeSection(named: prefix + "tsc-khz") {
            (reader) throws(WireError) in
            try reader.readInteger(as: UInt32.self, field: "frequency")
        }
        try setTSCFrequency(kilohertz: khz, of: vcpu, part: prefix + "tsc-khz")
        for kind in beforeLAPIC { try loadSection(for: kind, of: vcpu, from: &reader) }
        var msrs = try reader.decodeSection(named: prefix + "msrs", body: decodeMSRs)
        msrs = msrs.compactMap { msr in
            guard msr.index == tsc else { return msr }
            let ticks = advance.multipliedFullWidth(by: UInt64(khz))
            let forward = khz == 0 ? 0 : UInt64(1_000_000).dividingFullWidth(ticks).quotient
            return setsTSC ? MSR(index: tsc, value: msr.value &+ forward) : nil
        }
        try writeMSRs(msrs.filter { $0.index != tscDeadline }, to: vcpu, part: prefix + "msrs")
        try loadSection(for: .lapic, of: vcpu, from: &reader)
        try writeMSRs(msrs.filter { $0.index == tscDeadline }, to: vcpu, part: prefix + "msrs")
        try loadSection(for: .events, of: vcpu, from: &reader)
    }

    private static func loadSection(
        for kind: VCPUPart, of vcpu: KVMVCPU, from reader: inout SectionReader
    ) throws(StateError) {
        let name = "vcpu\(vcpu.id)/\(kind.rawValue)"
        var bytes = try reader.readSection(named: name)
        let expected = vcpu.stateByteCount(of: kind)
        // An XSAVE area is as long as the host's CPU has components; what is beyond is zero.
        if kind == .xsave {
            guard bytes.count <= expected || bytes[expected...].allSatisfy({ $0 == 0 }) else {
                throw StateError(
                    part: name, reason: .wrongSize(found: bytes.count, expected: expected))
            }
            bytes = Array(bytes.prefix(expected))
            bytes += [UInt8](repeating: 0, count: expected - bytes.count)
        }
        guard bytes.count == expected else {
            throw StateError(part: name, reason: .wrongSize(found: bytes.count, expected: expected))
        }
        try withStatePart(named: name) { () throws(SystemError) in
            try vcpu.setPartState(of: kind, to: bytes)
        }
    }

    /// A guest that reads the TSC for time must find it at the same speed.
    private static func setTSCFrequency(
        kilohertz khz: UInt32, of vcpu: KVMVCPU, part name: String
    ) throws(StateError) {
        let here = vcpu.tscKHz
        // KVM itself takes frequencies within 250 millionths for the same.
        let tolerance = here / 4000
        guard khz != 0, here != 0, khz > here &+ tolerance || khz < here - tolerance else { return }
        do { try vcpu.setTSCFrequency(kilohertz: khz) } catch {
            let text =
                "the guest's TSC runs at \(khz) kHz, this host's at \(here) kHz, and it cannot be scaled (\(error))"
            throw StateError(part: name, reason: .mismatch(text))
        }
    }

    /// Sets MSRs in order. One that KVM does not let us set is no loss if it has the value already.
    private static func writeMSRs(
        _ msrs: [MSR], to vcpu: KVMVCPU, part name: String
    ) throws(StateError) {
        var rest = msrs[...]
        while let first = rest.first {
            let batch = rest
            let count = try withStatePart(named: name) { () throws(SystemError) in
                try vcpu.writeMSRs(batch)
            }
            rest = rest.dropFirst(count)
            guard count == 0 || !rest.isEmpty, let refused = rest.first else { continue }
            let here = try withStatePart(named: name) { () throws(SystemError) in
                try vcpu.readMSRs(indices: [refused.index])
            }
            guard here.first?.value == refused.value else {
                let found = here.first.map { "0x" + $0.value.hexadecimal } ?? "unknown"
                let text =
                    "MSR 0x\(refused.index.hexadecimal) cannot be set to 0x\(refused.value.hexadecimal); here it is \(found)"
                throw StateError(part: name, reason: .mismatch(text))
            }
            rest = rest.dropFirst()
            _ = first
        }
    }
}

// MARK: Lists as bytes

extension VCPUState {
    static func encodeCPUID(entries: [CPUIDEntry]) -> [UInt8] {
        var writer = ByteWriter()
        writer.writeList(of: entries) { writer, entry in
            for word in [
                entry.leaf, entry.subleaf, entry.flags, entry.eax, entry.ebx, entry.ecx, entry.edx,
            ] { writer.writeInteger(word) }
        }
        return writer.bytes
    }

    static func decodeCPUID(from reader: inout ByteReader) throws(WireError) -> [CPUIDEntry] {
        try reader.readList(
            limit: KVM.Limits.cpuidEntriesMax, elementBytesMin: 28, field: "CPUID entries"
        ) { (reader) throws(WireError) in
            func readWord() throws(WireError) -> UInt32 {
                try reader.readInteger(field: "CPUID entry")
            }
            return CPUIDEntry(
                leaf: try readWord(), subleaf: try readWord(), flags: try readWord(),
                eax: try readWord(),
                ebx: try readWord(), ecx: try readWord(), edx: try readWord())
        }
    }

    static func encodeMSRs(_ msrs: [MSR]) -> [UInt8] {
        var writer = ByteWriter()
        writer.writeList(of: msrs) { writer, msr in
            writer.writeInteger(msr.index)
            writer.writeInteger(msr.value)
        }
        return writer.bytes
    }

    static func decodeMSRs(from reader: inout ByteReader) throws(WireError) -> [MSR] {
        try reader.readList(limit: KVM.Limits.msrsMax, elementBytesMin: 12, field: "MSRs") {
            (reader) throws(WireError) in
            MSR(
                index: try reader.readInteger(field: "MSR"),
                value: try reader.readInteger(field: "MSR"))
        }
    }
}
