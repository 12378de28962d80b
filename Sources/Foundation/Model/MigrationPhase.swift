// The phases of a migration, in order, as everybody sees them: logs, API, progress lines, reports.

/// One phase of a migration. Each has a begin and an end mark; phases from `pause` to `resume` are downtime.
public enum MigrationPhase: String, Hashable, Sendable, Codable, CaseIterable, Comparable {
    case connect
    case negotiate
    case preCopy
    case pause
    case lastPages
    case deviceState
    case verify
    case handover
    case resume
    case announce
    case cleanUp

    public static let downtimePhases: [MigrationPhase] = [
        .pause, .lastPages, .deviceState, .verify, .handover, .resume,
    ]

    public static func < (left: MigrationPhase, right: MigrationPhase) -> Bool {
        left.order < right.order
    }

    private var order: Int { Self.allCases.firstIndex(of: self) ?? 0 }
}
