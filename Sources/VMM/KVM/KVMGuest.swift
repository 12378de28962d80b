// One virtual machine of KVM's: its memory, interrupt chips and clock. It decides nothing.

internal import CLinux
package import Host

/// A VM's descriptor. The memory that is given to it must outlive it.
package final class KVMGuest: Sendable {
    let descriptor: Descriptor
    private let vcpuAreaBytes: Int

    init(_ descriptor: Descriptor, vcpuAreaBytes: Int) {
        self.descriptor = descriptor
        self.vcpuAreaBytes = vcpuAreaBytes
    }

    /// What KVM_CHECK_EXTENSION answers for this VM; 0 when it is not offered.
    package func capabilityValue(of capability: KVMCapability) -> Int {
        Int(max(0, ferry_kvm_check_extension(descriptor.number, capability.number)))
    }

    package func enableCapability(_ capability: KVMCapability, argument: UInt64) throws(SystemError)
    {
        try checkedWrapperCall(named: "KVM_ENABLE_CAP(\(capability.name))") {
            ferry_kvm_enable_cap(descriptor.number, UInt32(capability.number), argument)
        }
    }

    /// Two pages and one that Intel's CPUs need for real mode; they must not be RAM.
    package func setTSSAddress(to address: UInt64, identityMap: UInt64) throws(SystemError) {
        try checkedWrapperCall(named: "KVM_SET_IDENTITY_MAP_ADDR") {
            ferry_kvm_set_identity_map_address(descriptor.number, identityMap)
        }
        try checkedWrapperCall(named: "KVM_SET_TSS_ADDR") {
            ferry_kvm_set_tss_address(descriptor.number, address)
        }
    }

    /// The PICs, the IOAPIC and, in vCPUs made afterwards, the LAPICs.
    package func makeInterruptChips() throws(SystemError) {
        try checkedWrapperCall(named: "KVM_CREATE_IRQCHIP") {
            ferry_kvm_create_irqchip(descriptor.number)
        }
    }

    /// The timer chip, with the speaker's port 0x61 that goes with it.
    package func makeTimer() throws(SystemError) {
        try checkedWrapperCall(named: "KVM_CREATE_PIT2") {
            ferry_kvm_create_pit2(descriptor.number, UInt32(KVM_PIT_SPEAKER_DUMMY))
        }
    }

    package func makeVCPU(id: Int) throws(SystemError) -> KVMVCPU {
        let number = try checkedWrapperCall(named: "KVM_CREATE_VCPU(\(id))") {
            ferry_kvm_create_vcpu(descriptor.number, Int32(id))
        }
        let vcpu = Descriptor(owning: number)
        return KVMVCPU(
            vcpu, id: id, area: try Mapping(vcpu, count: vcpuAreaBytes),
            xsaveBytes: xsaveBytes)
    }

    /// Sets the level of an interrupt line of the PICs and the IOAPIC.
    package func setInterruptLine(number line: Int, raised: Bool) throws(SystemError) {
        try checkedWrapperCall(named: "KVM_IRQ_LINE(\(line))") {
            ferry_kvm_irq_line(descriptor.number, UInt32(line), raised ? 1 : 0)
        }
    }

    private var xsaveBytes: Int {
        min(Limits.xsaveBytesMax, max(4096, capabilityValue(of: .xsave2)))
    }
}

// MARK: Memory and its dirty log

extension KVMGuest {
    /// Makes or changes a slot of RAM. The memory must stay mapped for as long as this VM lives.
    package func setMemory(
        slot: Int, guestAddress: UInt64, memory: UnsafeMutableRawBufferPointer, logsDirtyPages: Bool
    ) throws(SystemError) {
        let flags = logsDirtyPages ? UInt32(KVM_MEM_LOG_DIRTY_PAGES) : 0
        try checkedWrapperCall(named: "KVM_SET_USER_MEMORY_REGION(slot \(slot))") {
            unsafe ferry_kvm_set_memory(
                descriptor.number, UInt32(slot), flags, guestAddress, UInt64(memory.count),
                memory.baseAddress)
        }
    }

    /// Has the log cleared only by `clearDirtyLog`, not by being read. Returns whether a log that is
    /// started holds every page at first; throws when KVM does not offer it.
    package func useManualDirtyLog() throws(SystemError) -> Bool {
        let offered = UInt64(capabilityValue(of: .manualDirtyLog))
        let startsFull = UInt64(KVM_DIRTY_LOG_INITIALLY_SET)
        let wanted = UInt64(KVM_DIRTY_LOG_MANUAL_PROTECT_ENABLE) | (offered & startsFull)
        try enableCapability(.manualDirtyLog, argument: wanted)
        return wanted & startsFull != 0
    }

    /// KVM_GET_DIRTY_LOG: one bit a page of the slot, rounded up to whole 64-bit words.
    package func readDirtyLog(
        slot: Int, into bits: UnsafeMutableRawBufferPointer
    ) throws(SystemError) {
        try checkedWrapperCall(named: "KVM_GET_DIRTY_LOG(slot \(slot))") {
            unsafe ferry_kvm_get_dirty_log(descriptor.number, UInt32(slot), bits.baseAddress)
        }
    }

    /// KVM_CLEAR_DIRTY_LOG of the pages whose bits are set. `first` is a multiple of 64, and so is `count`
    /// unless the range goes to the slot's end.
    package func clearDirtyLog(
        slot: Int, firstPage: Int, count: Int, bits: UnsafeMutableRawPointer
    ) throws(SystemError) {
        try checkedWrapperCall(
            named: "KVM_CLEAR_DIRTY_LOG(slot \(slot), page \(firstPage), \(count) pages)"
        ) {
            unsafe ferry_kvm_clear_dirty_log(
                descriptor.number, UInt32(slot), UInt64(firstPage), UInt32(count), bits)
        }
    }
}
