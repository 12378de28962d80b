// The rules in words, so that no figure is read without them.

import Placement

extension PlanetLabRules {
    /// Whether a VM's memory keeps a host on all day.
    var keepsMemoryOccupied: Bool { !deletesIdleVMs && enforcesMemory && billsIdleHosts }

    var mayMigrateTwiceAtOnce: Bool { emptiesFreshTargets && migration == .ramOverHalfLink }

    /// One sentence for each switch.
    var notes: [String] {
        [
            deletesIdleVMs
                ? "A VM that asks for no CPU at an accounting is deleted for good."
                : "VMs stay all day, idle or not.",
            enforcesMemory
                ? "A host takes no more memory than it has."
                : "After the start memory limits nothing: a host may hold more than it has.",
            chargesIdlePowerOfTargets
                ? "A target that must be switched on costs its idle power when targets are compared."
                : "A target that is off is taken to draw its idle power already.",
            billsIdleHosts
                ? "A host that holds VMs draws power though all of them are idle."
                : "A host whose VMs are all idle draws nothing.",
            mayMigrateTwiceAtOnce
                ? "A host that was chosen as a target may be emptied in the same round: VMs migrate twice at once."
                : "A VM migrates once at a time.",
            countsArrivalsAsViolation
                ? "A host that a VM migrates to counts as short of CPU until the VM is there."
                : "A host counts as short of CPU when VMs on it get less than they ask for.",
            migrationNote,
        ]
    }

    private var migrationNote: String {
        switch migration {
        case .ramOverHalfLink:
            return
                "A migration takes the VM's RAM over half of 1 Gbit/s, alone on it, and 10 % of the VM's "
                + "CPU meanwhile; there is no pause."
        case .engine(let model):
            let share = (model.assumedDirtyShare * 1e5).rounded() / 1e3
            return
                "A migration is pre-copy in rounds over 1 Gbit/s, shared with those that began by then on the "
                + "same hosts; a VM writes \(share) % of its memory a second (assumed); its pause "
                + "counts as CPU not given."
        }
    }
}
