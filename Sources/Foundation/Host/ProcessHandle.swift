// A process that is watched and signalled without the risk that its number belongs to another by now.

internal import CLinux
import Glibc

/// A process, child or not, by its pidfd: the kernel never gives it to a later process.
package final class ProcessHandle: Sendable {
    package let processID: Int32
    private let descriptor: Descriptor

    /// ESRCH when there is no such process.
    package init(_ processID: Int32) throws(SystemError) {
        self.processID = processID
        descriptor = Descriptor(
            owning: try checkedWrapperCall(named: "pidfd_open(\(processID))") {
                ferry_pidfd_open(processID)
            })
    }

    /// Blocks until the process has ended; false when the time ran out first.
    package func waitForExit(within limit: Duration) throws(SystemError) -> Bool {
        try descriptor.waitReadable(within: limit)
    }

    /// CPU time of all its threads so far; nil when the process has ended.
    package var cpuTime: Duration? {
        var clock = clockid_t()
        var time = timespec()
        guard unsafe clock_getcpuclockid(processID, &clock) == 0,
            unsafe clock_gettime(clock, &time) == 0
        else { return nil }
        return .seconds(time.tv_sec) + .nanoseconds(time.tv_nsec)
    }

    /// Sends a signal; a process that has ended is no error.
    package func sendSignal(_ number: Int32) throws(SystemError) {
        do {
            try checkedWrapperCall(named: "pidfd_send_signal(\(processID))") {
                ferry_pidfd_send_signal(descriptor.number, number)
            }
        } catch  where error.code == ESRCH {}
    }

    /// Takes the exit status of a child that has ended, so that it does not stay a zombie. Nil when the
    /// process is not this one's child, or has not ended.
    package func reapIfExited() -> ExitStatus? {
        var status: Int32 = 0
        guard unsafe waitpid(processID, &status, WNOHANG) == processID else { return nil }
        let signal = status & 0x7f
        return signal == 0 ? .code((status >> 8) & 0xff) : .signal(signal)
    }
}

/// How a process ended.
package enum ExitStatus: Hashable, Sendable, CustomStringConvertible {
    case code(Int32)
    case signal(Int32)

    package var description: String {
        switch self {
        case .code(let code): "exit code \(code)"
        case .signal(let number): "signal \(number)"
        }
    }
}
