// What goes wrong.

import Glibc

/// One of the four processes of a migration.
package enum Victim: String, Hashable, Sendable, CaseIterable {
    case sourceAgent = "source agent"
    case destinationAgent = "destination agent"
    case sourceVMM = "source vmm"
    case destinationVMM = "destination vmm"

    var side: Side {
        switch self {
        case .sourceAgent, .sourceVMM: .source
        case .destinationAgent, .destinationVMM: .destination
        }
    }

    var isAgent: Bool { self == .sourceAgent || self == .destinationAgent }
}

package enum Fault: Hashable, Sendable {
    /// SIGKILL. Agents are started again, a moment later or only when the other side knows the outcome.
    case kill([Victim], late: Bool = false)
    /// SIGSTOP, and SIGCONT after that time.
    case freeze(Victim, Duration)
    /// Nil is for good: mended only when the source's migration has ended.
    case cut(CutDirection, Duration?)
    /// Every connection is reset; new ones can be made.
    case reset
    /// The call at the point fails; nil: from then on every time.
    case fail(Int32, times: Int?)
    /// The destination's agent may take up no more memory than it has, and the kernel kills what does.
    case memoryLimit
    /// The destination keeps so much memory back that nothing fits.
    case noRoom
    /// The disk of the destination's state folder is really full, until the migration has ended.
    case fullDisk

    package var name: String {
        switch self {
        case .kill(let victims, let late):
            "SIGKILL \(victims.map(\.rawValue).joined(separator: " and "))\(late ? ", back late" : "")"
        case .freeze(let victim, let time):
            "SIGSTOP \(victim.rawValue) \(time.components.seconds) s"
        case .cut(let direction, let time):
            "cut \(direction.directionText) \(time.map { "\($0.components.seconds) s" } ?? "for good")"
        case .reset: "connections reset"
        case .fail(let code, let times):
            "\(errorName(code: code)) \(times.map { $0 == 1 ? "once" : "\($0) times" } ?? "from then on")"
        case .memoryLimit: "memory limit, out-of-memory kill"
        case .noRoom: "no memory free"
        case .fullDisk: "full disk"
        }
    }

}

extension CutDirection {
    var directionText: String {
        switch self {
        case .both: "both ways"
        case .toDestination: "to destination"
        case .toSource: "to source"
        }
    }
}

func errorName(code: Int32) -> String {
    switch code {
    case EIO: "EIO"
    case ENOSPC: "ENOSPC"
    case ENOMEM: "ENOMEM"
    case EPIPE: "EPIPE"
    default: "error \(code)"
    }
}
