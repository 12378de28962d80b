// What the table tells apart: stages of a migration, and families of faults. What differs less stands in one row.

import Model

/// Phases with the same answer to "what if it fails here".
enum Stage: Int, Hashable, Comparable {
    case negotiation, preCopy, pause, handover, end

    init(_ phase: MigrationPhase) {
        self =
            switch phase {
            case .connect, .negotiate: .negotiation
            case .preCopy: .preCopy
            case .pause, .lastPages, .deviceState, .verify: .pause
            case .handover: .handover
            case .resume, .announce, .cleanUp: .end
            }
    }

    var name: String {
        switch self {
        case .negotiation: "connect, negotiate"
        case .preCopy: "preCopy"
        case .pause: "pause to verify"
        case .handover: "handover"
        case .end: "resume to cleanUp"
        }
    }

    static func < (left: Stage, right: Stage) -> Bool { left.rawValue < right.rawValue }
}

/// A fault without its details.
struct FaultFamily: Hashable, Comparable {
    let name: String
    private let order: Int

    init(_ scenario: Scenario) {
        let fault = scenario.fault
        name =
            switch fault {
            case .kill(let victims, _):
                victims.count > 1
                    ? "SIGKILL both agents" : "SIGKILL \(victims.map(\.rawValue).joined())"
            case .freeze(let victim, let time):
                "SIGSTOP \(victim.rawValue) for \(time.components.seconds) s"
            case .cut(let direction, let time):
                "link cut \(direction == .both ? "both ways" : "one way") \(time.map { "for \($0.components.seconds) s" } ?? "for good")"
            case .reset: "connections reset"
            case .fail:
                if case .memory = scenario.point?.call {
                    "no memory (ENOMEM, ENOSPC)"
                } else {
                    "disk fails (EIO, ENOSPC)"
                }
            case .memoryLimit: "out of memory: the kernel kills the destination agent"
            case .noRoom: "no memory free at the destination"
            case .fullDisk: "full disk at the destination"
            }
        order = FaultKind.allCases.firstIndex(of: fault.kind) ?? 0
    }

    static func < (left: FaultFamily, right: FaultFamily) -> Bool {
        (left.order, left.name) < (right.order, right.name)
    }
}
