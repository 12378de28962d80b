import Host
import KVM
import Testing

private let isKVMUsable = (try? KVMSystem.openDevice()) != nil

@Suite("The face of /dev/kvm", .enabled(if: isKVMUsable))
struct KVMSystemTests {
    @Test("It offers CPUID and MSRs, each once")
    func lists() throws {
        let system = try KVMSystem.openDevice()
        let cpuid = try system.supportedCPUID()
        #expect(cpuid.contains { $0.leaf == 0 })
        #expect(cpuid.contains { $0.leaf == 1 })
        let msrs = try system.msrIndices()
        #expect(Set(msrs).count == msrs.count)
        #expect(msrs.contains(0x10))
    }

    @Test("MSRs that cannot be read are left out, the others are read in one go")
    func readableMSRs() throws {
        let guest = try KVMSystem.openDevice().makeGuest()
        try guest.makeInterruptChips()
        let vcpu = try guest.makeVCPU(id: 0)
        // 0xdead does not exist.
        #expect(try vcpu.readableMSRs(of: [0x10, 0xdead, 0xc000_0080]) == [0x10, 0xc000_0080])
        #expect(
            try vcpu.readMSRs(indices: [0xc000_0080, 0xdead, 0x10]).map(\.index) == [0xc000_0080])
    }

    @Test("Every part of a vCPU's state can be read and set again", arguments: VCPUPart.allCases)
    func parts(part: VCPUPart) throws {
        let guest = try KVMSystem.openDevice().makeGuest()
        try guest.makeInterruptChips()
        let vcpu = try guest.makeVCPU(id: 0)
        try vcpu.setCPUIDEntries(KVMSystem.openDevice().supportedCPUID())
        let state = try vcpu.partState(of: part)
        #expect(state.count == vcpu.stateByteCount(of: part))
        try vcpu.setPartState(of: part, to: state)
        #expect(try vcpu.partState(of: part) == state)
    }

    @Test("A call that fails names itself")
    func failure() throws {
        let guest = try KVMSystem.openDevice().makeGuest()
        _ = try guest.makeVCPU(id: 0)
        #expect(throws: SystemError(call: "KVM_CREATE_VCPU(0)", code: 17)) {
            _ = try guest.makeVCPU(id: 0)
        }
    }

    @Test("A host that cannot run guests is told what to do")
    func unavailable() {
        #expect(KVMUnavailable.noDevice.description.contains("modprobe"))
        #expect(KVMUnavailable.notPermitted.description.contains("group"))
        #expect(KVMUnavailable.lacking(["KVM_CAP_PIT2"]).description.contains("KVM_CAP_PIT2"))
    }
}
