// One vCPU and the thread that runs it.

import Glibc
import Host
import KVM
import Model
import Synchronization

/// Runs guest code while the gate is open and serves what the guest does to its devices.
final class VCPU: Sendable {
    static let kickSignal = SIGUSR1

    let kvm: KVMVCPU
    private let bus: Bus
    private let memory: GuestMemory
    private let gate: RunGate
    private let lease: GuestLease
    private let thread = Mutex<NamedThread?>(nil)

    init(_ kvm: KVMVCPU, bus: Bus, memory: GuestMemory, gate: RunGate, lease: GuestLease) {
        self.kvm = kvm
        self.bus = bus
        self.memory = memory
        self.gate = gate
        self.lease = lease
    }

    /// - Parameter post: hands a request to the machine and brings all vCPUs out, this one too.
    func startThread(post: @escaping @Sendable (GateRequest) -> Void) throws(SystemError) {
        let started = try NamedThread(name: "vcpu\(kvm.id)") { [self] in
            // A thread inherits what its maker blocks, and some runtimes' threads block every signal.
            do { try Signals.unblockSignal(Self.kickSignal) } catch {
                fatalError("a vCPU that cannot be kicked: \(error)")
            }
            while gate.waitForEntry(vcpu: kvm.id, admit: { kvm.immediateExit = false }) {
                runUntilInterrupted(post: post)
            }
        }
        thread.withLock { $0 = started }
    }

    /// Makes a running vCPU come out. `flag` first, under the gate's lock.
    func requestExit() { kvm.immediateExit = true }
    func sendKickSignal() { thread.withLock { $0?.sendSignal(Self.kickSignal) } }

    var cpuTime: Duration { thread.withLock { $0?.cpuTime ?? .zero } }

    /// Waits for the thread's end; the gate must be finished.
    func joinThread() {
        let thread = thread.withLock { thread in
            defer { thread = nil }
            return thread
        }
        thread?.joinThread()
    }

    private func runUntilInterrupted(post: (GateRequest) -> Void) {
        do {
            while true {
                // KVM then completes what the last exit began, and comes back before the guest runs.
                if !lease.allowsRunning { requestExit() }
                let exit = try kvm.runUntilExit()
                if exit == .interrupted { return }
                guard let request = try handleExit(exit) else { continue }
                post(request)
                // Some ends leave KVM unable to run on: go and park. A reset's or power-off's port
                // access is completed by one more KVM_RUN, which `post` made return at once.
                if case .end(let exit) = request, exit.reason != .powerOff { return }
            }
        } catch {
            post(.end(VMExit(reason: .hostFailure, detail: "vcpu\(kvm.id): \(error)")))
        }
    }

    private func handleExit(_ exit: KVMExit) throws(SystemError) -> GateRequest? {
        switch exit {
        case .portWrite(let port, let size, _):
            let request = unsafe kvm.withExitData {
                unsafe bus.handlePortWrite(at: port, size: size, data: $0)
            }
            return request.map(gateRequest)
        case .portRead(let port, let size, _):
            unsafe kvm.withExitData { unsafe bus.handlePortRead(at: port, size: size, data: $0) }
            return nil
        case .memoryRead:
            unsafe kvm.withExitData { unsafe bus.handleMemoryRead(data: $0) }
            return nil
        case .memoryWrite, .again, .interrupted: return nil
        case .halted:
            return endRequest(
                for: .hostFailure,
                detail: "left the guest at hlt, which the interrupt chip in KVM should handle"
            )
        case .shutdown:
            return .end(
                VMExit(reason: .tripleFault, detail: try describeFault(named: "triple fault")))
        case .failedEntry(let reason, let cpu):
            return endRequest(
                for: .hostFailure,
                detail:
                    "the CPU refused to enter the guest: hardware reason 0x\(reason.hexadecimal) on CPU \(cpu)"
            )
        case .internalError(let suberror, let bytes):
            return try repairOrReport(suberror: suberror, bytes: bytes)
        case .other(let reason):
            return endRequest(for: .hostFailure, detail: "left the guest for reason \(reason)")
        }
    }

    private func gateRequest(for request: GuestRequest) -> GateRequest {
        switch request {
        case .reset: .reset
        case .powerOff: .end(VMExit(reason: .powerOff, detail: "the guest powered off"))
        }
    }

    /// `int3` is a breakpoint that a debugger or a kernel's self-patching planted; a KVM that cannot emulate
    /// it leaves it to us. Everything else that cannot be emulated ends the VM.
    private func repairOrReport(
        suberror: UInt32, bytes: [UInt8]
    ) throws(SystemError) -> GateRequest? {
        let location = try kvm.instructionLocation()
        let instruction = try instructionBytes(at: location, reported: bytes)
        if instruction.first == 0xcc {
            try kvm.trapBreakpoint()
            return nil
        }
        let text = instruction.isEmpty ? "not readable" : instruction.hexadecimal(separator: " ")
        let detail = try describeFault(
            named: "KVM could not emulate an instruction (suberror \(suberror))")
        return .end(
            VMExit(reason: .emulationFailure, detail: detail + ", instruction bytes \(text)"))
    }

    /// What stands at RIP in guest memory, since KVM does not always report it.
    private func instructionBytes(
        at location: InstructionLocation, reported: [UInt8]
    ) throws(SystemError) -> [UInt8] {
        guard let address = try kvm.physicalAddress(ofLinear: location.linearAddress) else {
            return reported
        }
        let count = min(15, pageBytes - Int(address % UInt64(pageBytes)))
        return memory.readBytes(at: address, count: count) ?? reported
    }

    private func endRequest(for reason: VMExit.Reason, detail text: String) -> GateRequest {
        .end(VMExit(reason: reason, detail: "vcpu\(kvm.id): \(text)"))
    }

    private func describeFault(named what: String) throws(SystemError) -> String {
        let at = try kvm.instructionLocation()
        return
            "vcpu\(kvm.id): \(what) at RIP 0x\(at.rip.hexadecimal), CPL \(at.privilegeLevel), \(at.bits)-bit, CR0 0x\(at.cr0.hexadecimal), CR2 0x\(at.cr2.hexadecimal), CR3 0x\(at.cr3.hexadecimal), CR4 0x\(at.cr4.hexadecimal), RSP 0x\(at.rsp.hexadecimal)"
    }
}
