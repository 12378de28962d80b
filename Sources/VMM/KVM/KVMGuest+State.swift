// What KVM holds of a VM beside its vCPUs: interrupt chips, timer, clock. Bytes as the kernel lays them out.

internal import CLinux
package import Host

/// One of the interrupt chips; the raw value is KVM's number.
package enum InterruptChip: UInt32, CaseIterable, Sendable {
    case firstPIC = 0
    case secondPIC = 1
    case ioapic = 2
}

extension KVMGuest {
    /// struct kvm_irqchip
    package static let chipBytes = MemoryLayout<kvm_irqchip>.size
    /// struct kvm_pit_state2
    package static let timerBytes = MemoryLayout<kvm_pit_state2>.size

    package func chipState(of chip: InterruptChip) throws(SystemError) -> [UInt8] {
        var state = kvm_irqchip()
        state.chip_id = chip.rawValue
        try checkedWrapperCall(named: "KVM_GET_IRQCHIP(\(chip))") {
            unsafe ferry_kvm_get_irqchip(descriptor.number, &state)
        }
        return structBytes(of: state)
    }

    /// - Precondition: `bytes` has `chipBytes` bytes.
    package func setChipState(of chip: InterruptChip, to bytes: [UInt8]) throws(SystemError) {
        var state = structValue(of: bytes, startingAs: kvm_irqchip())
        state.chip_id = chip.rawValue
        try checkedWrapperCall(named: "KVM_SET_IRQCHIP(\(chip))") {
            unsafe ferry_kvm_set_irqchip(descriptor.number, &state)
        }
    }

    package func timerState() throws(SystemError) -> [UInt8] {
        var state = kvm_pit_state2()
        try checkedWrapperCall(named: "KVM_GET_PIT2") {
            unsafe ferry_kvm_get_pit2(descriptor.number, &state)
        }
        return structBytes(of: state)
    }

    /// - Precondition: `bytes` has `timerBytes` bytes.
    package func setTimerState(to bytes: [UInt8]) throws(SystemError) {
        var state = structValue(of: bytes, startingAs: kvm_pit_state2())
        try checkedWrapperCall(named: "KVM_SET_PIT2") {
            unsafe ferry_kvm_set_pit2(descriptor.number, &state)
        }
    }

    /// kvmclock in nanoseconds.
    package func readKVMClock() throws(SystemError) -> UInt64 {
        var clock = kvm_clock_data()
        try checkedWrapperCall(named: "KVM_GET_CLOCK") {
            unsafe ferry_kvm_get_clock(descriptor.number, &clock)
        }
        return clock.clock
    }

    package func setKVMClock(to nanoseconds: UInt64) throws(SystemError) {
        var clock = kvm_clock_data()
        clock.clock = nanoseconds
        try checkedWrapperCall(named: "KVM_SET_CLOCK") {
            unsafe ferry_kvm_set_clock(descriptor.number, &clock)
        }
    }
}
