// The gate between vCPU threads and everybody who wants them out of the guest.
//
// A vCPU thread is either in the guest (or handling what the guest asked for) or parked at the gate. Who
// wants it out sets the order, sets `immediateExit` and sends the kick signal. The order of these three is
// what makes the kick safe: a thread that is about to enter the guest sees the flag in KVM_RUN; one that is
// inside leaves by the signal. And because a thread parks only after KVM_RUN said "interrupted", KVM has
// by then completed the port or memory access of the last exit: parked state has nothing half done.

import Host
import Model

/// Why vCPUs came out by themselves.
enum GateRequest: Hashable, Sendable {
    case reset
    case end(VMExit)
}

/// Shared by all vCPU threads of a guest and its owner.
final class RunGate: Sendable {
    enum Order: Hashable, Sendable {
        case run
        case hold
        /// Threads end.
        case finish
    }

    private struct State: Sendable {
        var order = Order.hold
        var parked: Set<Int> = []
        /// Throttling: no entry before this instant.
        var heldUntil: Instant?
        /// The first thing that a guest asked for and that was not done yet.
        var request: GateRequest?
    }

    private let state = Monitor(State())
    private let vcpuCount: Int
    private let lease: GuestLease

    init(vcpuCount: Int, lease: GuestLease) {
        self.vcpuCount = vcpuCount
        self.lease = lease
    }

    /// Called by a vCPU thread outside the guest: waits until it may run. False: the thread has to end.
    /// `admit` is called under the lock just before it may.
    func waitForEntry(vcpu: Int, admit: () -> Void) -> Bool {
        state.updateState { state in _ = state.parked.insert(vcpu) }
        while true {
            let answer: Bool? = state.waitForValue(deadline: {
                $0.order == .run ? $0.heldUntil : nil
            }) {
                state in
                switch state.order {
                case .finish: return false
                case .hold: return nil
                case .run:
                    if let until = state.heldUntil, Instant.now < until { return nil }
                    guard lease.allowsRunning else { return nil }
                    state.parked.remove(vcpu)
                    admit()
                    return true
                }
            }
            if let answer { return answer }
        }
    }

    /// Lets vCPUs run, unless a guest's request waits to be done.
    func admitVCPUs() {
        state.updateState { state in if state.request == nil { state.order = .run } }
    }

    /// Something that is not in the gate's state may let vCPUs in.
    func recheckEntry() { state.updateState { _ in } }

    /// No vCPU may enter from now on. `flag` is called under the lock to make those inside come out; the
    /// caller then sends them the signal.
    func blockVCPUs(with order: Order = .hold, flag: () -> Void) {
        state.updateState { state in
            if state.order != .finish { state.order = order }
            flag()
        }
    }

    /// A vCPU's guest asks for something. Closes the gate; the first request counts.
    func postRequest(_ request: GateRequest, flag: () -> Void) {
        state.updateState { state in
            if state.request == nil { state.request = request }
            if state.order == .run { state.order = .hold }
            flag()
        }
    }

    /// Waits until every vCPU is parked; false when that took too long.
    func waitUntilAllParked(within limit: Duration) -> Bool {
        let end = Instant.now + limit
        return state.waitForValue(deadline: { _ in end }) {
            $0.parked.count == vcpuCount ? true : nil
        }
            ?? false
    }

    /// Waits until a guest asked for something, without taking it. False when the gate is finished.
    func waitForRequest() -> Bool {
        state.waitForValue { state in
            if state.order == .finish { return false }
            return state.request != nil ? true : nil
        }
    }

    func consumeRequest() -> GateRequest? {
        state.updateState { state in
            defer { state.request = nil }
            return state.request
        }
    }

    /// Throttling: holds vCPUs at the gate until then; `flag` as in `close`. Nil lets them in at once.
    func holdVCPUs(until instant: Instant?, flag: () -> Void) {
        state.updateState { state in
            state.heldUntil = instant
            if instant != nil { flag() }
        }
    }

    var isFinished: Bool { state.readValue { $0.order == .finish } }
}
