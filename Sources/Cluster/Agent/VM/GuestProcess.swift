// The ferry-vmm process of a VM, as its owner knows it: the connection to it, and the last state that it reported.
//
//   none ──attach──▶ attached ──detach, recordEnd──▶ none
//   none ──markUnreachable──▶ unreachable ──clearUnreachable──▶ none      (a process that a starting agent found)

import Host
import Model
import VMControl

struct GuestProcess {
    private enum Connection {
        case none
        case attached(VMProcess)
        /// A process may exist and does not answer. No other process is started beside it.
        case unreachable(ProcessHandle?, reason: String)
    }

    /// Why a guest of this host does not run although it may.
    enum ResumeFailure: Hashable, Sendable {
        case afterAgentRestart(String)
        case afterFailedMigration(String)
        case afterArrival(String)
        case afterReturn(String)
        case afterForcedTakeover(String)
        /// The VM came back at this epoch, but its process had ended, and its memory is gone.
        case memoryLost(Epoch)
    }

    private var connection = Connection.none
    private(set) var status: VMMStatus
    private(set) var resumeFailure: ResumeFailure?

    init(status: VMMStatus) { self.status = status }

    /// Nil while no ferry-vmm runs.
    var process: VMProcess? {
        if case .attached(let process) = connection { process } else { nil }
    }

    var unreachableProcess: ProcessHandle? {
        if case .unreachable(let handle, _) = connection { handle } else { nil }
    }

    var unreachableReason: String? {
        if case .unreachable(_, let reason) = connection { reason } else { nil }
    }

    /// Of the attached process, or of the unreachable one.
    var processID: Int32? { (process?.handle ?? unreachableProcess)?.processID }

    mutating func attachProcess(_ process: VMProcess, status: VMMStatus) {
        connection = .attached(process)
        self.status = status
    }

    /// Returns the process that was attached; its end is no longer recorded here.
    mutating func detachProcess() -> VMProcess? {
        defer { connection = .none }
        return process
    }

    mutating func markUnreachable(process handle: ProcessHandle?, reason: String) {
        connection = .unreachable(handle, reason: reason)
    }

    mutating func clearUnreachable() {
        if case .unreachable = connection { connection = .none }
    }

    /// Does nothing for a process that is not attached any more.
    mutating func updateStatus(to status: VMMStatus, of process: VMProcess) {
        if self.process === process { self.status = status }
    }

    /// The attached process has ended.
    mutating func recordProcessEnd(with exit: VMExit) {
        connection = .none
        status = VMMStatus(state: exit.stateLeft, cpuTime: status.cpuTime, exit: exit)
    }

    mutating func recordDeparture() {
        status = VMMStatus(
            state: .stopped, exit: VMExit(reason: .migrated, detail: "it runs on another host now"))
    }

    mutating func recordResumeFailure(_ failure: ResumeFailure) { resumeFailure = failure }

    mutating func clearResumeFailure() { resumeFailure = nil }

    /// A heartbeat would report another state than that of the other value.
    func hasReportableChange(since other: GuestProcess) -> Bool {
        (status.state, status.exit) != (other.status.state, other.status.exit)
    }

    /// Of the guest's memory, the part that the host has not given to it yet.
    func untouchedBytes(of memory: ByteCount) -> UInt64 {
        guard let process else { return 0 }
        // If the memory file cannot be read, all of its memory counts.
        let taken = (try? process.client.memoryFile.allocatedBytes()) ?? 0
        return memory.bytes - min(memory.bytes, UInt64(taken))
    }
}

extension VMExit {
    /// The state of a VM that ended like this.
    var stateLeft: VMState {
        switch reason {
        case .powerOff, .stopped, .migrated: .stopped
        case .tripleFault, .emulationFailure, .hostFailure, .processDied, .leaseExpired: .failed
        }
    }
}
