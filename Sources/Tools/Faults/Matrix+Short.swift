// The faults of every test run: few, quick, and of every kind in every phase between them.

import Model

extension Matrix {
    private static let shortCount = 40

    /// Needs neither root nor long waits.
    package static var short: [Scenario] {
        struct Group: Hashable {
            let kind: FaultKind
            let phase: MigrationPhase
        }
        let quick = all.filter(\.isQuick)
        let groups = Dictionary(grouping: quick) { Group(kind: $0.fault.kind, phase: $0.phase) }
            .sorted { ($0.key.kind.rawValue, $0.key.phase) < ($1.key.kind.rawValue, $1.key.phase) }
        return (0..<min(shortCount, groups.count)).map { index in
            let group = groups[index * groups.count / min(shortCount, groups.count)].value
            // Another place in each group, the same in each run.
            return group[index * 5 % group.count]
        }
    }
}

private let longestFreeze = Duration.seconds(5)
private let longestCut = Duration.seconds(1)

extension Scenario {
    fileprivate var isQuick: Bool {
        guard place == .loopback, load == .steady else { return false }
        return switch fault {
        case .kill(_, let isLate): !isLate
        case .freeze(_, let time): time <= longestFreeze
        case .cut(_, let time): time.map { $0 <= longestCut } ?? false
        case .reset, .fail: true
        case .noRoom, .memoryLimit, .fullDisk: false
        }
    }
}

/// What sort of fault it is.
package enum FaultKind: String, Hashable, Sendable, CaseIterable {
    case killedAgent, killedAgents, killedVMM, freeze, cut, reset, failedCall, shortage
}

extension Fault {
    package var kind: FaultKind {
        switch self {
        case .kill(let victims, _):
            victims.count > 1
                ? .killedAgents : victims.contains { $0.isAgent } ? .killedAgent : .killedVMM
        case .freeze: .freeze
        case .cut: .cut
        case .reset: .reset
        case .fail: .failedCall
        case .noRoom, .memoryLimit, .fullDisk: .shortage
        }
    }
}
