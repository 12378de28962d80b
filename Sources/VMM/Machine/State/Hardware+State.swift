// The machine's state as sections, and back.
//
//   machine          memory and vCPUs, to be compared
//   vm/clock         kvmclock and the host's time at that moment
//   vm/irqchip/...   PICs and IOAPIC          vm/pit      timer
//   vcpuN/...        see VCPUState.swift      device/...  ours
//
// How time goes on. A guest's clocks (kvmclock and TSC) run on while it is paused, as the CPU's own do; there is
// no stopping a TSC. For a moved guest to see the same as a paused one, loading a migrated state sets both
// forward by the real time since the save, by the same amount, so that they agree. If the hosts' clocks differ
// so that time would have gone backwards, or the gap is longer than Limits.clockAdvanceMax, both go on from
// where they stood: a guest whose TSC jumps by days computes nonsense, and a file may be that old. Never backwards.

import Glibc
import Host
import KVM
import Model
import Wire

extension Hardware {
    func saveSections() throws(StateError) -> [StateSection] {
        var machine = ByteWriter()
        machine.writeInteger(memory.layout.memory.bytes)
        machine.writeInteger(UInt32(vcpus.count))
        var clock = ByteWriter()
        let kvmClock = try withStatePart(named: "vm/clock") { () throws(SystemError) in
            try guest.readKVMClock()
        }
        clock.writeInteger(kvmClock)
        clock.writeInteger(realTimeNanoseconds())
        var sections = [
            StateSection(name: "machine", bytes: machine.bytes),
            StateSection(name: "vm/clock", bytes: clock.bytes),
        ]
        for (index, entries) in cpuid.enumerated() {
            sections.append(
                StateSection(
                    name: "vcpu\(index)/cpuid", bytes: VCPUState.encodeCPUID(entries: entries)))
        }
        return try sections + resettableSections()
    }

    /// What a reset sets back: all but memory, clock and CPUID.
    func resettableSections() throws(StateError) -> [StateSection] {
        var sections: [StateSection] = []
        for vcpu in vcpus { sections += try VCPUState.saveSections(of: vcpu, msrs: savedMSRs) }
        for chip in InterruptChip.allCases {
            let name = sectionName(of: chip)
            let bytes = try withStatePart(named: name) { () throws(SystemError) in
                try guest.chipState(of: chip)
            }
            sections.append(StateSection(name: name, bytes: bytes))
        }
        let timer = try withStatePart(named: "vm/pit") { () throws(SystemError) in
            try guest.timerState()
        }
        sections.append(StateSection(name: "vm/pit", bytes: timer))
        sections.append(StateSection(name: "device/serial", bytes: serial.state.encoded))
        sections.append(StateSection(name: "device/rtc", bytes: [clock.state]))
        return sections
    }

    /// - Parameter advancesTime: set the guest's clocks forward by the time since the save.
    func loadSections(_ sections: [StateSection], advancesTime: Bool) throws(StateError) {
        var reader = try SectionReader(sections)
        try checkMachine(in: &reader)
        let (kvmClock, savedAt) = try reader.decodeSection(named: "vm/clock") {
            (reader) throws(WireError) in
            (
                try reader.readInteger(as: UInt64.self, field: "clock"),
                try reader.readInteger(as: UInt64.self, field: "time")
            )
        }
        let advance =
            advancesTime ? Self.clockAdvance(since: savedAt, now: realTimeNanoseconds()) : 0
        try loadCPUIDEntries(from: &reader)
        try loadResettableState(from: &reader, advance: advance, setsTSC: true)
        try reader.rejectUnreadSections()
        try withStatePart(named: "vm/clock") { () throws(SystemError) in
            try guest.setKVMClock(to: kvmClock &+ advance)
        }
    }

    func loadSections(resettable sections: [StateSection]) throws(StateError) {
        var reader = try SectionReader(sections)
        try loadResettableState(from: &reader, advance: 0, setsTSC: false)
    }

    private func checkMachine(in reader: inout SectionReader) throws(StateError) {
        let (bytes, count) = try reader.decodeSection(named: "machine") {
            (reader) throws(WireError) in
            (
                try reader.readInteger(as: UInt64.self, field: "memory"),
                try reader.readInteger(as: UInt32.self, field: "vcpus")
            )
        }
        guard bytes == memory.layout.memory.bytes else {
            let text = "it has \(ByteCount(bytes)) of memory, this VM \(memory.layout.memory)"
            throw StateError(part: "machine", reason: .mismatch(text))
        }
        guard Int(count) == vcpus.count else {
            let text = "it has \(count) vCPUs, this VM \(vcpus.count)"
            throw StateError(part: "machine", reason: .mismatch(text))
        }
    }

    private func loadCPUIDEntries(from reader: inout SectionReader) throws(StateError) {
        let own = cpuid
        for vcpu in vcpus {
            let name = "vcpu\(vcpu.id)/cpuid"
            let entries = try reader.decodeSection(named: name, body: VCPUState.decodeCPUID)
            // From a host like this one, as mostly: nothing to compare, and the guest waits.
            guard entries != own[vcpu.id] else { continue }
            let host = CPUFeatures(cpuid: supportedCPUID)
            let missing = CPUFeatures(cpuid: entries).missingFeatures(on: host)
            guard missing.isEmpty else {
                let list = missing.joined(separator: ", ")
                throw StateError(part: name, reason: .mismatch("this host's CPU lacks \(list)"))
            }
            try withStatePart(named: name) { () throws(SystemError) in
                try setCPUIDEntries(entries, forVCPU: vcpu.id)
            }
        }
    }

    private func loadResettableState(
        from reader: inout SectionReader, advance: UInt64, setsTSC: Bool
    ) throws(StateError) {
        for chip in InterruptChip.allCases {
            let name = sectionName(of: chip)
            let bytes = try reader.readSection(named: name, count: KVMGuest.chipBytes)
            try withStatePart(named: name) { () throws(SystemError) in
                try guest.setChipState(of: chip, to: bytes)
            }
        }
        let timer = try reader.readSection(named: "vm/pit", count: KVMGuest.timerBytes)
        try withStatePart(named: "vm/pit") { () throws(SystemError) in
            try guest.setTimerState(to: timer)
        }
        for vcpu in vcpus {
            try VCPUState.loadSections(of: vcpu, from: &reader, advance: advance, setsTSC: setsTSC)
        }
        serial.restoreState(
            from: try reader.decodeSection(named: "device/serial", body: SerialPort.init(from:)))
        clock.restoreState(register: try reader.readSection(named: "device/rtc", count: 1)[0])
    }

    /// Nanoseconds to set clocks forward by.
    static func clockAdvance(since saved: UInt64, now: UInt64) -> UInt64 {
        guard now > saved, now - saved <= UInt64(Limits.clockAdvanceMax.wholeNanoseconds) else {
            return 0
        }
        return now - saved
    }

    private func sectionName(of chip: InterruptChip) -> String {
        switch chip {
        case .firstPIC: "vm/irqchip/pic0"
        case .secondPIC: "vm/irqchip/pic1"
        case .ioapic: "vm/irqchip/ioapic"
        }
    }
}

private func realTimeNanoseconds() -> UInt64 {
    var time = timespec()
    _ = unsafe clock_gettime(CLOCK_REALTIME, &time)
    return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
}
