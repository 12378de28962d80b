// Holds vCPUs out of the guest for a part of their time, so that they dirty memory more slowly.
//
// In every period of Limits.throttlePeriod the gate is held shut for the given part. A pause needs no
// special care: a held vCPU is parked.

import Host
import Synchronization
import VMControl

final class Throttle: Sendable {
    private struct State: Sendable {
        var percent = 0
        /// The connection that set it last: its end lets the vCPUs go.
        var owner: ConnectionID?
        var isFinished = false
    }

    private let state = Monitor(State())
    private let thread = Mutex<NamedThread?>(nil)
    private let hold: @Sendable (Instant?) -> Void

    /// - Parameter hold: keeps all vCPUs out until then, or lets them in at nil.
    init(hold: @escaping @Sendable (Instant?) -> Void) { self.hold = hold }

    func setThrottle(percent: Int, by owner: ConnectionID? = nil) throws(SystemError) {
        state.updateState { state in
            state.percent = percent
            state.owner = owner
        }
        try thread.withLock { (thread) throws(SystemError) in
            if thread == nil, percent > 0 {
                thread = try NamedThread(name: "throttle") { [self] in runPeriods() }
            }
        }
    }

    /// Lets the vCPUs go if it was this connection that held them back.
    func clearThrottle(ifSetBy connection: ConnectionID) {
        state.updateState { state in
            guard state.owner == connection else { return }
            state.percent = 0
            state.owner = nil
        }
    }

    func stopThread() {
        state.updateState { $0.isFinished = true }
        let thread = thread.withLock { thread in
            defer { thread = nil }
            return thread
        }
        thread?.joinThread()
    }

    private func runPeriods() {
        while true {
            let percent: Int? = state.waitForValue { state in
                if state.isFinished { return .some(nil) }
                return state.percent > 0 ? state.percent : nil
            }
            guard let percent else { return }
            let start = Instant.now
            let period = Limits.throttlePeriod
            hold(start + period * percent / 100)
            let end = start + period
            // The period's end, or a change that cannot wait for it.
            let changed: Bool? = state.waitForValue(deadline: { _ in end }) { state in
                state.isFinished || state.percent == 0 ? true : nil
            }
            if changed == true { hold(nil) }
        }
    }
}
