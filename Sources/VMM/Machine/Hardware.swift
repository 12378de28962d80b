// All that a guest's machine is made of, standing still: memory, vCPUs, chips, devices. No threads, no decisions.

import Host
import KVM
import Model
import Synchronization

/// Built once for a VM's whole stay on this host.
final class Hardware: Sendable {
    let guest: KVMGuest
    let memory: GuestMemory
    let vcpus: [KVMVCPU]
    let bus: Bus
    let serial: SerialDevice
    let clock: RealTimeClock
    /// What CPUID can say on this host.
    let supportedCPUID: [CPUIDEntry]
    let savedMSRs: [UInt32]
    private let guestCPUID: Mutex<[[CPUIDEntry]]>
    private let powerOn: Mutex<[StateSection]> = Mutex([])

    /// Two addresses in the hole below 4 GiB that KVM wants for itself on Intel's CPUs.
    private static let identityMapAddress: UInt64 = 0xfeff_c000
    private static let tssAddress: UInt64 = 0xfeff_d000

    /// - Parameter sink: takes the serial port's output on vCPU threads; must not block.
    init(
        _ spec: VMSpec, memory: GuestMemory, system: KVMSystem,
        sink: @escaping @Sendable (UInt8) -> Void
    ) throws(SystemError) {
        let guest = try system.makeGuest()
        try guest.setTSSAddress(to: Self.tssAddress, identityMap: Self.identityMapAddress)
        try guest.makeInterruptChips()
        try guest.makeTimer()
        for (index, slot) in memory.layout.slots.enumerated() {
            // `memory` lives as long as this object, and with it the guest.
            try unsafe guest.setMemory(
                slot: index, guestAddress: slot.guestAddress, memory: memory.mappedBytes(of: slot),
                logsDirtyPages: false)
        }
        let supported = try system.supportedCPUID()
        var vcpus: [KVMVCPU] = []
        var cpuid: [[CPUIDEntry]] = []
        for id in 0..<spec.vcpus {
            let vcpu = try guest.makeVCPU(id: id)
            let entries = CPUIDPolicy.guestEntries(from: supported, id: id, vcpus: spec.vcpus)
            try vcpu.setCPUIDEntries(entries)
            vcpus.append(vcpu)
            cpuid.append(entries)
        }
        savedMSRs = try vcpus[0].readableMSRs(of: system.msrIndices())
        serial = SerialDevice(
            setLine: { raised in
                // The line exists and the call cannot fail for any other reason.
                try? guest.setInterruptLine(number: SerialDevice.interruptLine, raised: raised)
            }, sink: sink)
        clock = RealTimeClock()
        bus = Bus(devices: [
            serial, KeyboardController(), KeyboardData(), clock, PowerControl(), ResetControl(),
        ])
        self.guest = guest
        self.memory = memory
        self.vcpus = vcpus
        supportedCPUID = supported
        guestCPUID = Mutex(cpuid)
    }

    /// What CPUID tells the guest, a list for each vCPU.
    var cpuid: [[CPUIDEntry]] { guestCPUID.withLock { $0 } }

    func setCPUIDEntries(_ entries: [CPUIDEntry], forVCPU vcpu: Int) throws(SystemError) {
        try vcpus[vcpu].setCPUIDEntries(entries)
        guestCPUID.withLock { $0[vcpu] = entries }
    }

    /// Remembers the state of all chips and CPUs as KVM makes them, for resets.
    func rememberPowerOn() throws(StateError) {
        let state = try resettableSections()
        powerOn.withLock { $0 = state }
    }

    /// Loads the power-on state through the very code that will load a moved guest's, so that what code costs
    /// when it runs for the first time is paid now and not in the guest's downtime. Not the TSC: KVM takes
    /// a second value that is close to the first for the same.
    func rehearseLoading() throws(StateError) {
        let bytes = StateBlob.encodeSections(powerOn.withLock { $0 })
        try loadSections(resettable: StateBlob.decodeSections(from: bytes))
    }

    /// Loads the kernel and puts the first CPU at its entry. The others wait to be started.
    func bootGuest(from source: BootSource) throws(MachineError) {
        do {
            let entry = try Loader(memory: memory, vcpus: vcpus.count).loadGuest(from: source)
            try vcpus[0].startFlat(
                at: entry.address, rbx: entry.rbx, rsi: entry.rsi,
                gdt: BootLayout.descriptorTable, gdtBytes: UInt16(BootLayout.descriptors.count * 8))
        } catch {
            throw typedError(
                error, converting: MachineError.kernel, convertingOther: MachineError.system)
        }
    }

    /// As a reset button: CPUs, chips and devices as at power-on, the kernel loaded again. Memory keeps
    /// what the kernel does not overwrite.
    func resetGuest(bootingFrom source: BootSource) throws(MachineError) {
        do { try loadSections(resettable: powerOn.withLock { $0 }) } catch { throw .state(error) }
        try bootGuest(from: source)
    }
}
