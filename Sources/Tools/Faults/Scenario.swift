// One fault at one point of one migration, and what may come of it.

package import Model

package struct Scenario: Hashable, Sendable {
    /// How hard the guest works.
    package enum Load: Hashable, Sendable {
        case steady
        /// It writes faster than anything can be sent: the migration is in pre-copy, and throttles, until it ends.
        case restless
    }

    package var phase: MigrationPhase
    /// Nil: before the migration begins.
    package var point: FaultPoint?
    package var fault: Fault
    package var place = Place.loopback
    package var load = Load.steady
    /// More shim rules that make the point come about: calls that are slowed down or fail.
    var circumstances: [Circumstance] = []
    /// Who may have the VM afterwards.
    package var owners: Set<Side> = [.source, .destination]
    /// Where the VM may end, with its reason told: at its owner's, whose ferry-vmm the fault kills.
    package var mayLose: Set<Side> = []

    struct Circumstance: Hashable, Sendable {
        var point: FaultPoint
        var action: ShimAction
        var times: Int?
    }

    package var name: String {
        let spot = point?.name ?? "before it begins"
        let more =
            circumstances.isEmpty ? "" : " (\(circumstances.map(\.name).joined(separator: ", ")))"
        let net = place == .namespaces ? " [namespaces]" : ""
        let busy = load == .restless ? " [throttled]" : ""
        return "\(phase.rawValue): \(spot)\(more): \(fault.name)\(net)\(busy)"
    }
}

extension Scenario.Circumstance {
    var name: String {
        switch action {
        case .hold: "hold \(point.name)"
        case .fail(let code): "\(errorName(code: code)) \(point.name)"
        case .delay(let milliseconds): "\(milliseconds) ms \(point.name)"
        }
    }
}
