// One guest, running: its hardware, its threads, and the one owner of its state.
//
//   Machine ── Lifecycle (one lock, held for a whole operation; vCPU threads never take it)
//      ├── Hardware     memory, KVM's descriptors, devices
//      ├── RunGate      where vCPU threads park
//      ├── vcpu0…       a thread each
//      ├── GuestLease   until when it may run; "lease", a thread that ends it then
//      └── "machine"    a thread that does what the guest asks for: reset, power off, its own failure
//
// It knows no sockets, files or processes: those are in Process/.

import Host
package import KVM
package import Model
import Synchronization
package import VMControl

/// What a machine is made from.
package struct MachineConfiguration: Sendable {
    package var id: VMID
    package var spec: VMSpec
    /// Nil when the guest's state arrives later; then a reset needs it too and is refused without.
    package var boot: BootSource?

    package init(id: VMID, spec: VMSpec, boot: BootSource?) {
        self.id = id
        self.spec = spec
        self.boot = boot
    }
}

/// A guest in this process. All calls are for any thread; they go one after another and may block.
package final class Machine: Sendable {
    package let id: VMID
    package let spec: VMSpec
    package let memory: GuestMemory
    package let dirtyLog: DirtyLog
    let hardware: Hardware
    let boot: BootSource?
    let vcpus: [VCPU]
    let gate: RunGate
    let throttle: Throttle
    let lease: GuestLease
    let isLeaseWatched = Atomic<Bool>(false)
    let lifecycle: Mutex<Lifecycle>
    /// What `status` says, readable while an operation goes on; waited on for the end.
    let published: Monitor<VMMStatus>
    private let requestThread = Mutex<NamedThread?>(nil)

    /// Builds a guest that stands still: `paused` at its kernel's entry, or `incoming` without a kernel's.
    ///
    /// - Parameters:
    ///   - incoming: waits for a saved state; a boot source is then only for resets.
    ///   - console: takes the serial port's output on vCPU threads; must not block.
    package init(
        _ configuration: MachineConfiguration, incoming: Bool = false,
        system: KVMSystem, console: @escaping @Sendable (UInt8) -> Void
    ) throws(MachineError) {
        let spec = configuration.spec
        guard spec.problem == nil, let layout = GuestMemoryLayout(memory: spec.memory) else {
            throw .specification(spec.problem ?? "the memory's size cannot be")
        }
        id = configuration.id
        self.spec = spec
        boot = configuration.boot
        let memory = try Self.allocateMemory(layout: layout, hugePages: spec.hugePages)
        let hardware: Hardware
        do {
            hardware = try Hardware(spec, memory: memory, system: system, sink: console)
            dirtyLog = try DirtyLog(hardware.guest, memory: memory)
            try Signals.interruptCalls(onSignal: VCPU.kickSignal)
        } catch { throw .system(error) }
        self.memory = memory
        self.hardware = hardware
        let lease = GuestLease(isNeeded: spec.isLeased)
        let gate = RunGate(vcpuCount: spec.vcpus, lease: lease)
        let vcpus = hardware.vcpus.map {
            VCPU($0, bus: hardware.bus, memory: memory, gate: gate, lease: lease)
        }
        self.lease = lease
        self.gate = gate
        self.vcpus = vcpus
        throttle = Throttle { until in
            gate.holdVCPUs(until: until) { for vcpu in vcpus { vcpu.requestExit() } }
            if until != nil { for vcpu in vcpus { vcpu.sendKickSignal() } }
        }
        lifecycle = Mutex(Lifecycle(state: incoming ? .incoming : .paused))
        published = Monitor(VMMStatus(state: incoming ? .incoming : .paused))
        do {
            try hardware.rememberPowerOn()
            if incoming { try hardware.rehearseLoading() }
        } catch { throw .state(error) }
        if !incoming, let boot { try hardware.bootGuest(from: boot) }
        do { try startThreads() } catch { throw .system(error) }
    }

    /// The features that the guest's CPUID names.
    package var cpuFeatures: CPUFeatures { CPUFeatures(cpuid: hardware.cpuid[0]) }

    package var status: VMMStatus {
        var status = published.readValue { $0 }
        status.cpuTime = vcpus.reduce(.zero) { $0 + $1.cpuTime }
        return status
    }

    /// Waits for the guest's end. Nil when the time ran out first.
    package func waitForEnd(within limit: Duration) -> VMExit? {
        let end = Instant.now + limit
        return published.waitForValue(deadline: { _ in end }) { $0.exit }
    }

    /// Serial input; returns how many of the bytes there was room for.
    package func enqueueConsoleInput(_ bytes: some Collection<UInt8>) -> Int {
        hardware.serial.enqueueInput(bytes)
    }

    /// Ends all threads. Call once, before letting go of the machine.
    package func stopAllThreads() {
        throttle.stopThread()
        gate.blockVCPUs(with: .finish) { for vcpu in vcpus { vcpu.requestExit() } }
        for vcpu in vcpus { vcpu.sendKickSignal() }
        for vcpu in vcpus { vcpu.joinThread() }
        let thread = requestThread.withLock { thread in
            defer { thread = nil }
            return thread
        }
        thread?.joinThread()
    }

    private static func allocateMemory(
        layout: GuestMemoryLayout, hugePages: Bool
    ) throws(MachineError) -> GuestMemory {
        do { return try GuestMemory(layout, hugePages: hugePages) } catch {
            throw hugePages ? .noHugePages(error) : .system(error)
        }
    }

    private func startThreads() throws(SystemError) {
        for vcpu in vcpus {
            try vcpu.startThread { [gate, vcpus] request in
                gate.postRequest(request) { for other in vcpus { other.requestExit() } }
                for other in vcpus where other !== vcpu { other.sendKickSignal() }
            }
        }
        // Not a strong reference: a machine that nobody holds must be able to go.
        let thread = try NamedThread(name: "machine") { [weak self, gate] in
            while gate.waitForRequest() { self?.handleGuestRequest() }
        }
        requestThread.withLock { $0 = thread }
    }
}
