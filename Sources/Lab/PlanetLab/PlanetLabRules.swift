// What a run counts and what it leaves out: one switch for each questionable rule of the published experiment.
//
// All at their defaults they are CloudSim 3.0.3 as released, which is what the published figures were made with. Each
// can be turned alone, to see what it does to the figures; `honest` turns all.

package import Placement

package enum PlanetLabMode: String, Hashable, Sendable, CaseIterable, Codable {
    case cloudSim = "cloudsim-3.0.3"
    case honest

    /// - Parameter text: a mode, or "both".
    package static func parseModes(named text: String) throws(PlanetLabError) -> [PlanetLabMode] {
        if text == "both" { return allCases }
        guard let mode = PlanetLabMode(rawValue: text) else { throw .unknownMode(text) }
        return [mode]
    }

    package var rules: PlanetLabRules { self == .honest ? .honest : PlanetLabRules() }
}

package struct PlanetLabRules: Hashable, Sendable {
    /// How a VM gets from host to host, and what it feels of it.
    package enum Migration: Hashable, Sendable {
        /// RAM over half of the link, alone on it; meanwhile the VM gets 90 % of its CPU on the source and takes 10 %
        /// on the target. No pause at the end.
        case ramOverHalfLink
        /// The engine's model: pre-copy in rounds, then a pause. Those that start together share the links of their
        /// hosts. The VM runs at full speed on the source until the pause.
        case engine(MigrationCostModel)
    }

    /// A VM without demand at an accounting is deleted for good.
    package var deletesIdleVMs = true
    /// A host takes no more memory than it has, after the start too.
    package var enforcesMemory = false
    /// Targets are compared by what they would draw more than with the VMs planned for them so far, which is nothing
    /// for a host without VMs: to switch it on costs its idle power. Otherwise more than at the last accounting, and a
    /// host that is off counts as drawing its idle power already.
    package var chargesIdlePowerOfTargets = false
    /// A host that holds VMs draws power though none of them computes.
    package var billsIdleHosts = false
    /// Targets for VMs of overloaded hosts may be emptied in the same round: a VM then migrates twice at once. Only
    /// where both migrations end together, so not with the engine's model.
    package var emptiesFreshTargets = true
    /// A host that a VM migrates to counts as short of CPU until the VM is there.
    package var countsArrivalsAsViolation = true
    package var migration = Migration.ramOverHalfLink

    package init() {}

    package static let honest = {
        var rules = PlanetLabRules()
        rules.deletesIdleVMs = false
        rules.enforcesMemory = true
        rules.chargesIdlePowerOfTargets = true
        rules.billsIdleHosts = true
        rules.emptiesFreshTargets = false
        rules.countsArrivalsAsViolation = false
        rules.migration = .engine(MigrationCostModel())
        return rules
    }()
}
