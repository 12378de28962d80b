// The states of a VM as its host sees them.

/// What a VM is doing.
///
///   incoming ──▶ paused ◀──▶ running ──▶ stopped | failed
///                   │                       ▲
///                   └───────────────────────┘
public enum VMState: String, Hashable, Sendable, Codable, CaseIterable {
    /// Built to receive a migration; has no state to run yet, or was not told to run.
    case incoming
    /// Every vCPU is stopped; memory and state stand still.
    case paused
    case running
    /// The guest powered off, or it was stopped.
    case stopped
    /// It ended by itself in an error; `VMExit` says which.
    case failed
}

/// Why a VM ended.
public struct VMExit: Hashable, Sendable, Codable {
    public enum Reason: String, Hashable, Sendable, Codable, CaseIterable {
        /// The guest asked for power off.
        case powerOff
        /// The operator stopped it.
        case stopped
        /// The guest shut down by triple fault.
        case tripleFault
        /// KVM could not emulate an instruction.
        case emulationFailure
        /// KVM or the host failed.
        case hostFailure
        /// Its process ended without a report (killed, out of memory).
        case processDied
        /// It runs on another host now.
        case migrated
        /// Its host's lease ended: it may have been started elsewhere.
        case leaseExpired
    }

    public var reason: Reason
    /// One sentence with the facts: RIP, instruction bytes, the failed call.
    public var detail: String

    public init(reason: Reason, detail: String) {
        self.reason = reason
        self.detail = detail
    }
}
