// /dev/kvm: what this host's KVM can do, and the making of guests.

internal import CLinux
package import Host
import Glibc

/// What KVM may offer, by the names of its API; the raw value is KVM's number.
package struct KVMCapability: Hashable, Sendable {
    package let number: Int32
    package let name: String

    package static let irqchip = Self(number: KVM_CAP_IRQCHIP, name: "KVM_CAP_IRQCHIP")
    package static let pit2 = Self(number: KVM_CAP_PIT2, name: "KVM_CAP_PIT2")
    package static let pitState2 = Self(number: KVM_CAP_PIT_STATE2, name: "KVM_CAP_PIT_STATE2")
    package static let mpState = Self(number: KVM_CAP_MP_STATE, name: "KVM_CAP_MP_STATE")
    package static let vcpuEvents = Self(number: KVM_CAP_VCPU_EVENTS, name: "KVM_CAP_VCPU_EVENTS")
    package static let debugregs = Self(number: KVM_CAP_DEBUGREGS, name: "KVM_CAP_DEBUGREGS")
    package static let xcrs = Self(number: KVM_CAP_XCRS, name: "KVM_CAP_XCRS")
    package static let xsave = Self(number: KVM_CAP_XSAVE, name: "KVM_CAP_XSAVE")
    package static let xsave2 = Self(number: KVM_CAP_XSAVE2, name: "KVM_CAP_XSAVE2")
    package static let adjustClock = Self(
        number: KVM_CAP_ADJUST_CLOCK, name: "KVM_CAP_ADJUST_CLOCK")
    package static let clockControl = Self(
        number: KVM_CAP_KVMCLOCK_CTRL, name: "KVM_CAP_KVMCLOCK_CTRL")
    package static let immediateExit = Self(
        number: KVM_CAP_IMMEDIATE_EXIT, name: "KVM_CAP_IMMEDIATE_EXIT")
    package static let tscControl = Self(number: KVM_CAP_TSC_CONTROL, name: "KVM_CAP_TSC_CONTROL")
    package static let getTSCkHz = Self(number: KVM_CAP_GET_TSC_KHZ, name: "KVM_CAP_GET_TSC_KHZ")
    package static let manualDirtyLog = Self(
        number: KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2, name: "KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2")
    package static let vcpusMax = Self(number: KVM_CAP_MAX_VCPUS, name: "KVM_CAP_MAX_VCPUS")

    /// Without these no guest runs.
    package static let required = [
        irqchip, pit2, pitState2, mpState, vcpuEvents, debugregs, adjustClock, immediateExit,
    ]
}

/// An open /dev/kvm of the one API version there is, with what Ferry needs.
package final class KVMSystem: Sendable {
    let descriptor: Descriptor

    private init(_ descriptor: Descriptor) { self.descriptor = descriptor }

    package static func openDevice() throws(KVMUnavailable) -> KVMSystem {
        do {
            let system = KVMSystem(try Descriptor.openFile(at: "/dev/kvm", flags: O_RDWR))
            let version = try checkedWrapperCall(named: "KVM_GET_API_VERSION") {
                ferry_kvm_api_version(system.descriptor.number)
            }
            guard version == KVM_API_VERSION else { throw KVMUnavailable.wrongVersion(version) }
            let lacking = KVMCapability.required.filter { system.capabilityValue(of: $0) == 0 }
            guard lacking.isEmpty else { throw KVMUnavailable.lacking(lacking.map(\.name)) }
            return system
        } catch {
            throw typedError(error) { (error: SystemError) in KVMUnavailable(error) }
        }
    }

    /// What KVM_CHECK_EXTENSION answers; 0 when it is not offered.
    package func capabilityValue(of capability: KVMCapability) -> Int {
        Int(max(0, ferry_kvm_check_extension(descriptor.number, capability.number)))
    }

    /// The CPUID that KVM and the CPU can give a guest.
    package func supportedCPUID() throws(SystemError) -> [CPUIDEntry] {
        var list = CPUIDEntry.makeCPUIDList(room: Limits.cpuidEntriesMax)
        try checkedWrapperCall(named: "KVM_GET_SUPPORTED_CPUID") {
            unsafe list.withUnsafeMutableBytes {
                unsafe ferry_kvm_get_supported_cpuid(descriptor.number, $0.baseAddress)
            }
        }
        return CPUIDEntry.decodeEntries(fromList: list)
    }

    /// The MSRs that make up a vCPU's state, by number. Not all of them can be read on every host.
    package func msrIndices() throws(SystemError) -> [UInt32] {
        var list = [UInt32](repeating: 0, count: 1 + Limits.msrsMax)
        list[0] = UInt32(Limits.msrsMax)
        try checkedWrapperCall(named: "KVM_GET_MSR_INDEX_LIST") {
            unsafe list.withUnsafeMutableBytes {
                unsafe ferry_kvm_get_msr_index_list(descriptor.number, $0.baseAddress)
            }
        }
        return Array(list.dropFirst().prefix(Int(list[0])))
    }

    package func makeGuest() throws(SystemError) -> KVMGuest {
        let guest = Descriptor(
            owning: try checkedWrapperCall(named: "KVM_CREATE_VM") {
                ferry_kvm_create_vm(descriptor.number)
            })
        let areaBytes = try checkedWrapperCall(named: "KVM_GET_VCPU_MMAP_SIZE") {
            ferry_kvm_vcpu_mmap_size(descriptor.number)
        }
        return KVMGuest(guest, vcpuAreaBytes: Int(areaBytes))
    }
}
