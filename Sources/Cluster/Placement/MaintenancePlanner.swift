// Rolling maintenance: hosts in groups such that the VMs of each group fit on the rest.
//
// Each group is planned from the state as it is now: the VMs of a group come back before the next one begins.

/// Hosts that are emptied, maintained and filled again together.
package struct MaintenanceGroup: Hashable, Sendable {
    package var hosts: [HostIndex]
    package var drain: MovePlan
}

package struct MaintenancePlan: Hashable, Sendable {
    package var groups: [MaintenanceGroup]
    /// Hosts that cannot be emptied even alone, with the VMs that stay.
    package var impossible: [MaintenanceGroup]
}

extension ClusterState {
    /// - Parameter groupMax: hosts in one group at most.
    package func planMaintenance(
        of hosts: [HostIndex], groupMax: Int, limits: MoveLimits = MoveLimits(),
        costs: MigrationCostModel = MigrationCostModel()
    ) -> MaintenancePlan {
        var plan = MaintenancePlan(groups: [], impossible: [])
        var waiting = hosts
        while !waiting.isEmpty {
            let group = drainableGroup(
                of: waiting, groupMax: max(1, groupMax), limits: limits, costs: costs)
            if group.drain.left.isEmpty {
                plan.groups.append(group)
            } else {
                plan.impossible.append(group)
            }
            waiting.removeAll { group.hosts.contains($0) }
        }
        return plan
    }

    /// As many of the hosts as can be emptied together, in their order; at least the first.
    private func drainableGroup(
        of hosts: [HostIndex], groupMax: Int, limits: MoveLimits, costs: MigrationCostModel
    ) -> MaintenanceGroup {
        var candidates = jointlyDrainable(among: hosts, groupMax: groupMax)
        while true {
            let drain = planDrain(of: candidates, limits: limits, costs: costs)
            if drain.left.isEmpty || candidates.count == 1 {
                return MaintenanceGroup(hosts: candidates, drain: drain)
            }
            candidates.removeLast((candidates.count + 1) / 2)
        }
    }

    /// Hosts are emptied one after the other, on a copy, for as long as everything finds a place.
    private func jointlyDrainable(among hosts: [HostIndex], groupMax: Int) -> [HostIndex] {
        var evacuation = Evacuation(self, roomTries: 0)
        var group: [HostIndex] = []
        var failures = 0
        for host in hosts where group.count < groupMax && failures < Limits.groupFailuresMax {
            if evacuation.emptyIfPossible(host: host) {
                group.append(host)
            } else if group.isEmpty {
                return [host]
            } else {
                failures += 1
            }
        }
        return group
    }
}
