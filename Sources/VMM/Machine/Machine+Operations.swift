// What can be asked of a machine: pause, resume, reset, stop. One at a time; each first does what the guest
// asked for before.

import Host
import KVM
package import Model
import Synchronization
package import VMControl

extension Machine {
    /// Returns with every vCPU parked and nothing half done, or throws with the guest as it was.
    package func pause(forHandoverBy owner: ConnectionID? = nil) throws(VMMRefusal) {
        try perform { lifecycle throws(VMMRefusal) in
            try Self.require([.running, .paused], lifecycle, to: "pause")
            try park()
            // Parking may have brought out a guest that had just asked for its end or its reset.
            doGuestRequest(&lifecycle)
            try Self.require([.running, .paused], lifecycle, to: "pause")
            lifecycle.paused(for: owner)
        }
    }

    package func seal(by owner: ConnectionID) throws(VMMRefusal) {
        try perform { lifecycle throws(VMMRefusal) in
            guard lifecycle.seal(by: owner) else {
                throw VMMRefusal(
                    code: .wrongState,
                    detail: "this connection did not pause the VM for a handover, or lost it")
            }
        }
    }

    package func resume() throws(VMMRefusal) {
        try perform { lifecycle throws(VMMRefusal) in
            try Self.require([.running, .paused], lifecycle, to: "resume")
            try requireLease()
            run(&lifecycle)
        }
    }

    package func reset() throws(VMMRefusal) {
        try perform { lifecycle throws(VMMRefusal) in
            try Self.require([.running, .paused], lifecycle, to: "reset")
            guard boot != nil else {
                throw VMMRefusal(
                    code: .wrongState,
                    detail: "the kernel's file is not on this host: \(Self.noKernel)")
            }
            try park()
            doReset(&lifecycle)
            if lifecycle.state == .running { gate.open() }
        }
    }

    /// Ends the guest: its vCPUs are parked for good.
    package func stop(_ exit: VMExit) {
        lifecycle.withLock { lifecycle in
            close()
            end(&lifecycle, exit)
            publish(lifecycle)
        }
    }

    /// Its lease has ended: first nothing of it runs any more, then it ends as others do.
    func expire() {
        close()
        let detail = "its host's lease ended: another host may have started it"
        stop(VMExit(reason: .leaseExpired, detail: detail))
    }

    package func throttle(
        percent: Int, by owner: ConnectionID? = nil
    ) throws(VMMRefusal) {
        do { try throttle.set(percent: percent, by: owner) } catch { throw refusal(error) }
    }

    /// A control connection is gone: its handover, if it has one, is over, and so are the throttle and the
    /// dirty log that it asked for. A source agent that dies leaves its VM at full speed.
    package func connectionEnded(_ connection: ConnectionID) {
        throttle.connectionEnded(connection)
        do { try dirtyLog.connectionEnded(connection) } catch {
            logLine("the dirty log of a lost connection goes on: \(error)")
        }
        lifecycle.withLock { lifecycle in
            doGuestRequest(&lifecycle)
            if lifecycle.lost(connection), !lifecycle.hasEnded { run(&lifecycle) }
            publish(lifecycle)
        }
    }

    /// Does what the guest asked for, if it did.
    func settle() {
        lifecycle.withLock { lifecycle in
            doGuestRequest(&lifecycle)
            publish(lifecycle)
        }
    }

    /// One operation: with the lifecycle in hand, after what the guest asked for, and published afterwards.
    func perform<Value>(
        _ body: (inout Lifecycle) throws(VMMRefusal) -> Value
    ) throws(VMMRefusal) -> Value {
        try lifecycle.withLock { (lifecycle) throws(VMMRefusal) in
            doGuestRequest(&lifecycle)
            defer { publish(lifecycle) }
            return try body(&lifecycle)
        }
    }

    static func require(
        _ states: [VMState], _ lifecycle: Lifecycle, to operation: String
    ) throws(VMMRefusal) {
        guard !states.contains(lifecycle.state) else { return }
        throw VMMRefusal(
            code: .wrongState,
            detail: "cannot \(operation) a VM that is \(lifecycle.state.rawValue)")
    }

    func refusal(_ error: SystemError) -> VMMRefusal {
        VMMRefusal(code: .systemFailure, detail: "\(error)")
    }
}

// MARK: The steps

extension Machine {
    private static let noKernel =
        "the VM came from another host or from a file; start it again to boot it"

    private func close() {
        gate.close { for vcpu in vcpus { vcpu.flag() } }
        for vcpu in vcpus { vcpu.signal() }
    }

    /// Brings every vCPU out of the guest; throws with the guest running as before.
    private func park() throws(VMMRefusal) {
        close()
        guard gate.waitUntilAllParked(within: Limits.pauseTimeout) else {
            gate.open()
            throw VMMRefusal(
                code: .systemFailure,
                detail: "a vCPU did not leave the guest within \(Limits.pauseTimeout)")
        }
    }

    private func run(_ lifecycle: inout Lifecycle) {
        guard lifecycle.state != .running else { return }
        for vcpu in vcpus {
            // A guest without kvmclock has nothing to be told, and KVM says so by an error.
            try? vcpu.kvm.tellGuestThatItWasStopped()
        }
        lifecycle.resumed()
        gate.open()
    }

    /// The guest's own wish comes before any operation: it was there first.
    private func doGuestRequest(_ lifecycle: inout Lifecycle) {
        guard let request = gate.takeRequest(), !lifecycle.hasEnded else { return }
        close()
        guard gate.waitUntilAllParked(within: Limits.pauseTimeout) else {
            let text = "a vCPU did not leave the guest within \(Limits.pauseTimeout)"
            return end(&lifecycle, VMExit(reason: .hostFailure, detail: text))
        }
        switch request {
        case .end(let exit): end(&lifecycle, exit)
        case .reset:
            doReset(&lifecycle)
            if lifecycle.state == .running { gate.open() }
        }
    }

    /// With all vCPUs parked.
    private func doReset(_ lifecycle: inout Lifecycle) {
        guard let boot else {
            let text =
                "the guest asked for a reset, and its kernel's file is not on this host: \(Self.noKernel)"
            return end(&lifecycle, VMExit(reason: .stopped, detail: text))
        }
        do { try hardware.reset(boot) } catch {
            end(&lifecycle, VMExit(reason: .hostFailure, detail: "reset: \(error)"))
        }
    }

    private func end(_ lifecycle: inout Lifecycle, _ exit: VMExit) {
        var exit = exit
        if exit.detail.utf8.count > Limits.exitTextBytesMax {
            exit.detail = String(exit.detail.prefix(Limits.exitTextBytesMax / 4))
        }
        lifecycle.ended(exit)
    }

    private func publish(_ lifecycle: Lifecycle) {
        published.change { status in
            status.state = lifecycle.state
            status.isSealed = lifecycle.isSealed
            status.exit = lifecycle.exit
        }
    }
}
