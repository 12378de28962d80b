// Registers by name: where a guest starts, where it stands, and the one trap that is put right in place.

internal import CLinux
package import Host

/// Where a vCPU stands.
package struct InstructionLocation: Hashable, Sendable {
    package var rip: UInt64
    /// `rip` with the code segment's base.
    package var linearAddress: UInt64
    /// 16, 32 or 64.
    package var bits: Int
    package var privilegeLevel: Int
    package var cr0: UInt64
    package var cr2: UInt64
    package var cr3: UInt64
    package var cr4: UInt64
    package var rsp: UInt64
}

extension KVMVCPU {
    /// Sets the registers that PVH and Linux's 32-bit boot protocol ask for: protected mode without paging,
    /// flat segments, interrupts off. The descriptors are also in a table at `gdt` for guests that reload them.
    package func startFlat(
        at address: UInt32, rbx: UInt64, rsi: UInt64, gdt: UInt64, gdtBytes: UInt16
    ) throws(SystemError) {
        var system = kvm_sregs()
        try checkedWrapperCall(named: "KVM_GET_SREGS") {
            unsafe ferry_kvm_get_sregs(descriptor.number, &system)
        }
        let data = Self.flatSegment(selector: 0x18, type: 3)
        system.cs = Self.flatSegment(selector: 0x10, type: 11)
        (system.ds, system.es, system.fs) = (data, data, data)
        (system.gs, system.ss) = (data, data)
        // A busy 32-bit TSS without content: what VM entry demands and nobody uses.
        system.tr = Self.flatSegment(selector: 0x20, type: 11)
        (system.tr.s, system.tr.g, system.tr.db, system.tr.limit) = (0, 0, 0, 0x67)
        system.gdt = kvm_dtable(base: gdt, limit: gdtBytes - 1, padding: (0, 0, 0))
        system.idt = kvm_dtable(base: 0, limit: 0, padding: (0, 0, 0))
        system.cr0 = 0x11  // PE, ET
        system.cr4 = 0
        system.efer = 0
        try checkedWrapperCall(named: "KVM_SET_SREGS") {
            unsafe ferry_kvm_set_sregs(descriptor.number, &system)
        }
        var registers = kvm_regs()
        registers.rip = UInt64(address)
        registers.rbx = rbx
        registers.rsi = rsi
        registers.rflags = 2
        try setRegisters(to: registers)
    }

    package func instructionLocation() throws(SystemError) -> InstructionLocation {
        let registers = try registers()
        var system = kvm_sregs()
        try checkedWrapperCall(named: "KVM_GET_SREGS") {
            unsafe ferry_kvm_get_sregs(descriptor.number, &system)
        }
        let isLong = system.cs.l != 0 && system.efer & (1 << 10) != 0
        return InstructionLocation(
            rip: registers.rip,
            linearAddress: isLong ? registers.rip : (system.cs.base &+ registers.rip) & 0xffff_ffff,
            bits: isLong ? 64 : (system.cs.db != 0 ? 32 : 16),
            privilegeLevel: Int(system.ss.dpl), cr0: system.cr0, cr2: system.cr2, cr3: system.cr3,
            cr4: system.cr4, rsp: registers.rsp)
    }

    /// The guest physical address behind a linear one, nil when it is not mapped.
    package func physicalAddress(ofLinear address: UInt64) throws(SystemError) -> UInt64? {
        var translation = kvm_translation()
        translation.linear_address = address
        try checkedWrapperCall(named: "KVM_TRANSLATE") {
            unsafe ferry_kvm_translate(descriptor.number, &translation)
        }
        return translation.valid != 0 ? translation.physical_address : nil
    }

    /// Does what `int3` does: raises #BP with RIP after the instruction, which has one byte.
    package func trapBreakpoint() throws(SystemError) {
        var registers = try registers()
        registers.rip &+= 1
        try setRegisters(to: registers)
        var events = kvm_vcpu_events()
        try checkedWrapperCall(named: "KVM_GET_VCPU_EVENTS") {
            unsafe ferry_kvm_get_vcpu_events(descriptor.number, &events)
        }
        events.exception.injected = 1
        events.exception.nr = UInt8(BP_VECTOR)
        events.exception.has_error_code = 0
        events.exception.pending = 0
        try checkedWrapperCall(named: "KVM_SET_VCPU_EVENTS") {
            unsafe ferry_kvm_set_vcpu_events(descriptor.number, &events)
        }
    }

    private func registers() throws(SystemError) -> kvm_regs {
        var registers = kvm_regs()
        try checkedWrapperCall(named: "KVM_GET_REGS") {
            unsafe ferry_kvm_get_regs(descriptor.number, &registers)
        }
        return registers
    }

    private func setRegisters(to registers: kvm_regs) throws(SystemError) {
        var registers = registers
        try checkedWrapperCall(named: "KVM_SET_REGS") {
            unsafe ferry_kvm_set_regs(descriptor.number, &registers)
        }
    }

    private static func flatSegment(selector: UInt16, type: UInt8) -> kvm_segment {
        var segment = kvm_segment()
        segment.limit = 0xffff_ffff
        segment.selector = selector
        segment.type = type
        (segment.present, segment.s, segment.db, segment.g) = (1, 1, 1, 1)
        return segment
    }
}
