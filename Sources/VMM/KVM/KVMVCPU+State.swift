// A vCPU's state in the parts that KVM's API has, each as the bytes of the kernel's struct.
//
// The structs are part of the kernel's stable interface, so their bytes mean the same on every host.
// CPUID and MSRs are lists, not structs, and have a file of their own.

internal import CLinux
package import Host

/// One part of a vCPU's state.
package enum VCPUPart: String, CaseIterable, Sendable {
    case mpState = "mpstate"
    case registers = "regs"
    case systemRegisters = "sregs"
    case xsave
    case xcrs
    case debugRegisters = "debugregs"
    case lapic
    case events
}

extension KVMVCPU {
    /// The bytes that `setState` wants of a part.
    package func stateByteCount(of part: VCPUPart) -> Int {
        switch part {
        case .mpState: MemoryLayout<kvm_mp_state>.size
        case .registers: MemoryLayout<kvm_regs>.size
        case .systemRegisters: MemoryLayout<kvm_sregs>.size
        case .xsave: xsaveBytes
        case .xcrs: MemoryLayout<kvm_xcrs>.size
        case .debugRegisters: MemoryLayout<kvm_debugregs>.size
        case .lapic: MemoryLayout<kvm_lapic_state>.size
        case .events: MemoryLayout<kvm_vcpu_events>.size
        }
    }

    package func partState(of part: VCPUPart) throws(SystemError) -> [UInt8] {
        switch part {
        case .mpState:
            try unsafe readStruct(
                call: "KVM_GET_MP_STATE", startingAs: kvm_mp_state(), body: ferry_kvm_get_mp_state)
        case .registers:
            try unsafe readStruct(
                call: "KVM_GET_REGS", startingAs: kvm_regs(), body: ferry_kvm_get_regs)
        case .systemRegisters:
            try unsafe readStruct(
                call: "KVM_GET_SREGS", startingAs: kvm_sregs(), body: ferry_kvm_get_sregs)
        case .xsave: try readXSAVEArea()
        case .xcrs:
            try unsafe readStruct(
                call: "KVM_GET_XCRS", startingAs: kvm_xcrs(), body: ferry_kvm_get_xcrs)
        case .debugRegisters:
            try unsafe readStruct(
                call: "KVM_GET_DEBUGREGS", startingAs: kvm_debugregs(),
                body: ferry_kvm_get_debugregs)
        case .lapic:
            try unsafe readStruct(
                call: "KVM_GET_LAPIC", startingAs: kvm_lapic_state(), body: ferry_kvm_get_lapic)
        case .events:
            try unsafe readStruct(
                call: "KVM_GET_VCPU_EVENTS", startingAs: kvm_vcpu_events(),
                body: ferry_kvm_get_vcpu_events)
        }
    }

    /// - Precondition: the count is `bytes(of: part)`.
    package func setPartState(of part: VCPUPart, to bytes: [UInt8]) throws(SystemError) {
        precondition(bytes.count == self.stateByteCount(of: part), "a state of another size")
        switch part {
        case .mpState:
            try unsafe writeStruct(
                call: "KVM_SET_MP_STATE", startingAs: kvm_mp_state(), bytes: bytes,
                body: ferry_kvm_set_mp_state)
        case .registers:
            try unsafe writeStruct(
                call: "KVM_SET_REGS", startingAs: kvm_regs(), bytes: bytes, body: ferry_kvm_set_regs
            )
        case .systemRegisters:
            try unsafe writeStruct(
                call: "KVM_SET_SREGS", startingAs: kvm_sregs(), bytes: bytes,
                body: ferry_kvm_set_sregs)
        case .xsave:
            try checkedWrapperCall(named: "KVM_SET_XSAVE") {
                unsafe bytes.withUnsafeBytes {
                    unsafe ferry_kvm_set_xsave(descriptor.number, $0.baseAddress)
                }
            }
        case .xcrs:
            try unsafe writeStruct(
                call: "KVM_SET_XCRS", startingAs: kvm_xcrs(), bytes: bytes, body: ferry_kvm_set_xcrs
            )
        case .debugRegisters:
            try unsafe writeStruct(
                call: "KVM_SET_DEBUGREGS", startingAs: kvm_debugregs(), bytes: bytes,
                body: ferry_kvm_set_debugregs)
        case .lapic:
            try unsafe writeStruct(
                call: "KVM_SET_LAPIC", startingAs: kvm_lapic_state(), bytes: bytes,
                body: ferry_kvm_set_lapic)
        case .events:
            try unsafe writeStruct(
                call: "KVM_SET_VCPU_EVENTS", startingAs: kvm_vcpu_events(), bytes: bytes,
                body: ferry_kvm_set_vcpu_events)
        }
    }

    /// The TSC's frequency as the guest sees it, in kHz; 0 when KVM does not say.
    package var tscKHz: UInt32 { UInt32(max(0, ferry_kvm_get_tsc_khz(descriptor.number))) }

    package func setTSCFrequency(kilohertz frequency: UInt32) throws(SystemError) {
        try checkedWrapperCall(named: "KVM_SET_TSC_KHZ(\(frequency))") {
            ferry_kvm_set_tsc_khz(descriptor.number, frequency)
        }
    }

    /// Tells a guest with kvmclock that it was stopped, so that its watchdogs do not bark. KVM refuses when
    /// the guest has no kvmclock.
    package func notifyGuestOfPause() throws(SystemError) {
        try checkedWrapperCall(named: "KVM_KVMCLOCK_CTRL") {
            ferry_kvm_kvmclock_ctrl(descriptor.number)
        }
    }

    private func readXSAVEArea() throws(SystemError) -> [UInt8] {
        var area = [UInt8](repeating: 0, count: xsaveBytes)
        // KVM_GET_XSAVE writes 4096 bytes; a larger area is only there with KVM_GET_XSAVE2.
        let call = unsafe xsaveBytes > 4096 ? ferry_kvm_get_xsave2 : ferry_kvm_get_xsave
        try checkedWrapperCall(named: "KVM_GET_XSAVE") {
            unsafe area.withUnsafeMutableBytes { unsafe call(descriptor.number, $0.baseAddress) }
        }
        return area
    }

    private func readStruct<State>(
        call: String, startingAs zero: State, body: (Int32, UnsafeMutablePointer<State>?) -> Int32
    ) throws(SystemError) -> [UInt8] {
        var state = zero
        try checkedWrapperCall(named: call) { unsafe body(descriptor.number, &state) }
        return structBytes(of: state)
    }

    private func writeStruct<State>(
        call: String, startingAs zero: State, bytes: [UInt8],
        body: (Int32, UnsafePointer<State>?) -> Int32
    ) throws(SystemError) {
        var state = structValue(of: bytes, startingAs: zero)
        try checkedWrapperCall(named: call) { unsafe body(descriptor.number, &state) }
    }
}
