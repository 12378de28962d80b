// What can be asked of a machine: pause, resume, reset, stop. One at a time; each first does what the guest
// asked for before.

import Host
import KVM
package import Model
import Synchronization
package import VMControl

extension Machine {
    /// Returns with every vCPU parked and nothing half done, or throws with the guest as it was.
    package func pauseGuest(forHandoverBy owner: ConnectionID? = nil) throws(VMMRefusal) {
        try withLifecycle { lifecycle throws(VMMRefusal) in
            try Self.requireState(oneOf: [.running, .paused], in: lifecycle, to: "pause")
            try parkVCPUs()
            // Parking may have brought out a guest that had just asked for its end or its reset.
            handleGuestRequest(in: &lifecycle)
            try Self.requireState(oneOf: [.running, .paused], in: lifecycle, to: "pause")
            lifecycle.markPaused(for: owner)
        }
    }

    package func sealHandover(by owner: ConnectionID) throws(VMMRefusal) {
        try withLifecycle { lifecycle throws(VMMRefusal) in
            guard lifecycle.sealHandover(by: owner) else {
                throw VMMRefusal(
                    code: .wrongState,
                    detail: "this connection did not pause the VM for a handover, or lost it")
            }
        }
    }

    package func resumeGuest() throws(VMMRefusal) {
        try withLifecycle { lifecycle throws(VMMRefusal) in
            try Self.requireState(oneOf: [.running, .paused], in: lifecycle, to: "resume")
            try requireLease()
            resumeVCPUs(in: &lifecycle)
        }
    }

    package func resetGuest() throws(VMMRefusal) {
        try withLifecycle { lifecycle throws(VMMRefusal) in
            try Self.requireState(oneOf: [.running, .paused], in: lifecycle, to: "reset")
            guard boot != nil else {
                throw VMMRefusal(
                    code: .wrongState,
                    detail: "the kernel's file is not on this host: \(Self.noKernel)")
            }
            try parkVCPUs()
            resetHardware(in: &lifecycle)
            if lifecycle.state == .running { gate.admitVCPUs() }
        }
    }

    /// Ends the guest: its vCPUs are parked for good.
    package func stopGuest(with exit: VMExit) {
        lifecycle.withLock { lifecycle in
            closeGate()
            endGuest(in: &lifecycle, exit: exit)
            publishStatus(of: lifecycle)
        }
    }

    /// Its lease has ended: first nothing of it runs any more, then it ends as others do.
    func handleLeaseExpiry() {
        closeGate()
        let detail = "its host's lease ended: another host may have started it"
        stopGuest(with: VMExit(reason: .leaseExpired, detail: detail))
    }

    package func throttleVCPUs(
        percent: Int, by owner: ConnectionID? = nil
    ) throws(VMMRefusal) {
        do { try throttle.setThrottle(percent: percent, by: owner) } catch {
            throw makeRefusal(for: error)
        }
    }

    /// A control connection is gone: its handover, if it has one, is over, and so are the throttle and the
    /// dirty log that it asked for. A source agent that dies leaves its VM at full speed.
    package func handleConnectionEnd(of connection: ConnectionID) {
        throttle.clearThrottle(ifSetBy: connection)
        do { try dirtyLog.stopLogging(ifOwnedBy: connection) } catch {
            writeLogLine("the dirty log of a lost connection goes on: \(error)")
        }
        lifecycle.withLock { lifecycle in
            handleGuestRequest(in: &lifecycle)
            if lifecycle.endHandover(ownedBy: connection), !lifecycle.hasEnded {
                resumeVCPUs(in: &lifecycle)
            }
            publishStatus(of: lifecycle)
        }
    }

    /// Does what the guest asked for, if it did.
    func handleGuestRequest() {
        lifecycle.withLock { lifecycle in
            handleGuestRequest(in: &lifecycle)
            publishStatus(of: lifecycle)
        }
    }

    /// One operation: with the lifecycle in hand, after what the guest asked for, and published afterwards.
    func withLifecycle<Value>(
        body: (inout Lifecycle) throws(VMMRefusal) -> Value
    ) throws(VMMRefusal) -> Value {
        try lifecycle.withLock { (lifecycle) throws(VMMRefusal) in
            handleGuestRequest(in: &lifecycle)
            defer { publishStatus(of: lifecycle) }
            return try body(&lifecycle)
        }
    }

    static func requireState(
        oneOf states: [VMState], in lifecycle: Lifecycle, to operation: String
    ) throws(VMMRefusal) {
        guard !states.contains(lifecycle.state) else { return }
        throw VMMRefusal(
            code: .wrongState,
            detail: "cannot \(operation) a VM that is \(lifecycle.state.rawValue)")
    }

    func makeRefusal(for error: SystemError) -> VMMRefusal {
        VMMRefusal(code: .systemFailure, detail: "\(error)")
    }
}

// MARK: The steps

extension Machine {
    private static let noKernel =
        "the VM came from another host or from a file; start it again to boot it"

    private func closeGate() {
        gate.blockVCPUs { for vcpu in vcpus { vcpu.requestExit() } }
        for vcpu in vcpus { vcpu.sendKickSignal() }
    }

    /// Brings every vCPU out of the guest; throws with the guest running as before.
    private func parkVCPUs() throws(VMMRefusal) {
        closeGate()
        guard gate.waitUntilAllParked(within: Limits.pauseTimeout) else {
            gate.admitVCPUs()
            throw VMMRefusal(
                code: .systemFailure,
                detail: "a vCPU did not leave the guest within \(Limits.pauseTimeout)")
        }
    }

    private func resumeVCPUs(in lifecycle: inout Lifecycle) {
        guard lifecycle.state != .running else { return }
        for vcpu in vcpus {
            // A guest without kvmclock has nothing to be told, and KVM says so by an error.
            try? vcpu.kvm.notifyGuestOfPause()
        }
        lifecycle.markRunning()
        gate.admitVCPUs()
    }

    /// The guest's own wish comes before any operation: it was there first.
    private func handleGuestRequest(in lifecycle: inout Lifecycle) {
        guard let request = gate.consumeRequest(), !lifecycle.hasEnded else { return }
        closeGate()
        guard gate.waitUntilAllParked(within: Limits.pauseTimeout) else {
            let text = "a vCPU did not leave the guest within \(Limits.pauseTimeout)"
            return endGuest(in: &lifecycle, exit: VMExit(reason: .hostFailure, detail: text))
        }
        switch request {
        case .end(let exit): endGuest(in: &lifecycle, exit: exit)
        case .reset:
            resetHardware(in: &lifecycle)
            if lifecycle.state == .running { gate.admitVCPUs() }
        }
    }

    /// With all vCPUs parked.
    private func resetHardware(in lifecycle: inout Lifecycle) {
        guard let boot else {
            let text =
                "the guest asked for a reset, and its kernel's file is not on this host: \(Self.noKernel)"
            return endGuest(in: &lifecycle, exit: VMExit(reason: .stopped, detail: text))
        }
        do { try hardware.resetGuest(bootingFrom: boot) } catch {
            endGuest(in: &lifecycle, exit: VMExit(reason: .hostFailure, detail: "reset: \(error)"))
        }
    }

    private func endGuest(in lifecycle: inout Lifecycle, exit: VMExit) {
        var exit = exit
        if exit.detail.utf8.count > Limits.exitTextBytesMax {
            exit.detail = String(exit.detail.prefix(Limits.exitTextBytesMax / 4))
        }
        lifecycle.markEnded(with: exit)
    }

    private func publishStatus(of lifecycle: Lifecycle) {
        published.updateState { status in
            status.state = lifecycle.state
            status.isSealed = lifecycle.isSealed
            status.exit = lifecycle.exit
        }
    }
}
