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
    func save() throws(StateError) -> [StateSection] {
        var machine = ByteWriter()
        machine.write(memory.layout.memory.bytes)
        machine.write(UInt32(vcpus.count))
        var clock = ByteWriter()
        let kvmClock = try part("vm/clock") { () throws(SystemError) in try guest.clock() }
        clock.write(kvmClock)
        clock.write(realTimeNanoseconds())
        var sections = [
            StateSection(name: "machine", bytes: machine.bytes),
            StateSection(name: "vm/clock", bytes: clock.bytes),
        ]
        for (index, entries) in cpuid.enumerated() {
            sections.append(
                StateSection(name: "vcpu\(index)/cpuid", bytes: VCPUState.bytes(of: entries)))
        }
        return try sections + resettableSections()
    }

    /// What a reset sets back: all but memory, clock and CPUID.
    func resettableSections() throws(StateError) -> [StateSection] {
        var sections: [StateSection] = []
        for vcpu in vcpus { sections += try VCPUState.save(vcpu, msrs: savedMSRs) }
        for chip in InterruptChip.allCases {
            let name = sectionName(of: chip)
            let bytes = try part(name) { () throws(SystemError) in try guest.state(of: chip) }
            sections.append(StateSection(name: name, bytes: bytes))
        }
        let timer = try part("vm/pit") { () throws(SystemError) in try guest.timerState() }
        sections.append(StateSection(name: "vm/pit", bytes: timer))
        sections.append(StateSection(name: "device/serial", bytes: serial.state.encoded))
        sections.append(StateSection(name: "device/rtc", bytes: [clock.state]))
        return sections
    }

    /// - Parameter advancesTime: set the guest's clocks forward by the time since the save.
    func load(_ sections: [StateSection], advancesTime: Bool) throws(StateError) {
        var reader = try SectionReader(sections)
        try checkMachine(&reader)
        let (kvmClock, savedAt) = try reader.decode("vm/clock") { (reader) throws(WireError) in
            (
                try reader.integer(UInt64.self, field: "clock"),
                try reader.integer(UInt64.self, field: "time")
            )
        }
        let advance = advancesTime ? Self.advance(since: savedAt, now: realTimeNanoseconds()) : 0
        try loadCPUID(&reader)
        try loadResettable(&reader, advance: advance, setsTSC: true)
        try reader.finish()
        try part("vm/clock") { () throws(SystemError) in try guest.setClock(kvmClock &+ advance) }
    }

    func load(resettable sections: [StateSection]) throws(StateError) {
        var reader = try SectionReader(sections)
        try loadResettable(&reader, advance: 0, setsTSC: false)
    }

    private func checkMachine(_ reader: inout SectionReader) throws(StateError) {
        let (bytes, count) = try reader.decode("machine") { (reader) throws(WireError) in
            (
                try reader.integer(UInt64.self, field: "memory"),
                try reader.integer(UInt32.self, field: "vcpus")
            )
        }
        guard bytes == memory.layout.memory.bytes else {
            let text = "it has \(ByteCount(bytes)) of memory, this VM \(memory.layout.memory)"
            throw StateError(part: "machine", .mismatch(text))
        }
        guard Int(count) == vcpus.count else {
            let text = "it has \(count) vCPUs, this VM \(vcpus.count)"
            throw StateError(part: "machine", .mismatch(text))
        }
    }

    private func loadCPUID(_ reader: inout SectionReader) throws(StateError) {
        let own = cpuid
        for vcpu in vcpus {
            let name = "vcpu\(vcpu.id)/cpuid"
            let entries = try reader.decode(name, VCPUState.readCPUID)
            // From a host like this one, as mostly: nothing to compare, and the guest waits.
            guard entries != own[vcpu.id] else { continue }
            let host = CPUFeatures(cpuid: supportedCPUID)
            let missing = CPUFeatures(cpuid: entries).missing(on: host)
            guard missing.isEmpty else {
                let list = missing.joined(separator: ", ")
                throw StateError(part: name, .mismatch("this host's CPU lacks \(list)"))
            }
            try part(name) { () throws(SystemError) in try setCPUID(entries, of: vcpu.id) }
        }
    }

    private func loadResettable(
        _ reader: inout SectionReader, advance: UInt64, setsTSC: Bool
    ) throws(StateError) {
        for chip in InterruptChip.allCases {
            let name = sectionName(of: chip)
            let bytes = try reader.take(name, count: KVMGuest.chipBytes)
            try part(name) { () throws(SystemError) in try guest.setState(of: chip, to: bytes) }
        }
        let timer = try reader.take("vm/pit", count: KVMGuest.timerBytes)
        try part("vm/pit") { () throws(SystemError) in try guest.setTimerState(timer) }
        for vcpu in vcpus {
            try VCPUState.load(vcpu, from: &reader, advance: advance, setsTSC: setsTSC)
        }
        serial.restore(try reader.decode("device/serial", SerialPort.init(from:)))
        clock.restore(try reader.take("device/rtc", count: 1)[0])
    }

    /// Nanoseconds to set clocks forward by.
    static func advance(since saved: UInt64, now: UInt64) -> UInt64 {
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
