// When it pays to empty a host, and what has to stay free.

import Model

/// What emptying a host costs against what it brings, both in busy hosts times seconds.
///
/// An empty host is worth: `idleShare` × (`horizon` − `wakeTime`), for it is trusted to stay empty so long.
/// Its moves cost: their seconds × `hostShare`, their downtime × `downtimeShare`, their GiB × `gibibyteShare`.
package struct EmptyingPrice: Hashable, Sendable {
    package var horizon = Duration.seconds(3600)
    /// What a host without VMs draws of what a busy one draws: about half (Barroso and Hölzle, "The Case for
    /// Energy-Proportional Computing", 2007).
    package var idleShare = 0.5
    /// What it takes to fall asleep and to wake up again.
    package var wakeTime = Duration.seconds(120)
    /// How much of a host a migration under way keeps busy, both ends together.
    package var hostShare = 0.1
    /// What a second of a VM's downtime counts.
    package var downtimeShare = 20.0
    /// What a GiB counts that takes the network from others.
    package var gibibyteShare = 0.1

    package init() {}

    var worth: Double { idleShare * max(0, (horizon - wakeTime).seconds) }
}

package struct ConsolidationRules: Hashable, Sendable {
    package var price = EmptyingPrice()
    /// A host takes no VM that would bring its measured load above these shares of its cores and of its memory.
    package var cpuMax = 0.8
    package var memoryMax = 0.9
    package var movesMax = 200
    package var limits = MoveLimits()
    /// A VM that was moved less than this ago stays.
    package var coolDown = Duration.seconds(1800)
    /// For so long a VM does not go back to the host that it left.
    package var returnBar = Duration.seconds(24 * 3600)
    /// Hosts without VMs that do not sleep: so many, or this share of all that are awake, whichever is more.
    package var spareHosts = 1
    package var spareShare = 0.02

    package init() {}
}

/// A host that a plan empties.
package struct EmptiedHost: Hashable, Sendable {
    package var host: HostIndex
    package var vms: Int
    /// In host seconds, see `EmptyingPrice`.
    package var worth: Double
    package var cost: Double
}

/// Why the other hosts with VMs are not emptied: how many of them for each reason.
package struct HostsNotEmptied: Hashable, Sendable {
    /// A VM may not be moved now: pinned, excluded, in cool-down, being moved or expected.
    package var held = 0
    /// Their moves cost more than they bring, or break a downtime limit.
    package var tooDear = 0
    /// They have taken VMs of the hosts that are emptied.
    package var taking = 0
    /// Not all of their VMs find a place within the margins.
    package var withoutPlace = 0
    /// Not looked at any more: the plan was full, or too many were tried in vain.
    package var notTried = 0

    package init() {}
}

/// Hosts to empty, all of their VMs or none.
package struct ConsolidationPlan: Hashable, Sendable {
    package var emptied: [EmptiedHost] = []
    package var moves = MovePlan()
    package var others = HostsNotEmptied()
}
