// Where VMs came from, so that they can be brought back.

package import Model

/// The home of each VM that a drain has moved: the host that it left first.
package struct HomeTable: Hashable, Sendable {
    package private(set) var homes: [VMID: String] = [:]

    package init() {}

    /// Remembers homes that were kept elsewhere, a store for example.
    package init(homes: [VMID: String]) { self.homes = homes }

    /// A VM left a host because that was drained. A VM that is away already keeps its home.
    package mutating func recordHome(of vm: VMID, at host: String) {
        if homes[vm] == nil { homes[vm] = host }
    }

    /// A VM is back, or its home no longer matters.
    package mutating func removeHome(of vm: VMID) { homes[vm] = nil }

    /// The drained VMs of a plan: those that made room for others among them.
    package mutating func recordHomes(from plan: MovePlan, in cluster: ClusterState) {
        for move in plan.moves {
            recordHome(of: cluster.description(of: move.vm).id, at: cluster.hosts[move.from].name)
        }
    }
}

extension ClusterState {
    /// The moves that bring VMs back to a host; see `planReturn(to:)` for several.
    package func planReturn(
        to host: HostIndex, homes book: HomeTable, limits: MoveLimits = MoveLimits(),
        costs: MigrationCostModel = MigrationCostModel()
    ) -> MovePlan {
        planReturn(to: [host], homes: book, limits: limits, costs: costs)
    }

    /// The moves that bring VMs back to these hosts, the important and the large first; what no longer fits is left.
    package func planReturn(
        to homes: [HostIndex], homes book: HomeTable, limits: MoveLimits = MoveLimits(),
        costs: MigrationCostModel = MigrationCostModel()
    ) -> MovePlan {
        var wanted: [VMIndex: HostIndex] = [:]
        for vm in allVMs where vmRows[vm].host >= 0 && vmRows[vm].target < 0 {
            guard let name = book.homes[descriptions[vm].id], let home = indexOfHost(named: name),
                homes.contains(home), Int(vmRows[vm].host) != home
            else { continue }
            wanted[vm] = home
        }
        var seen: Set<VMIndex> = []
        var wishes: [MoveRequest] = []
        for vm in wanted.keys.sorted(by: { isMoreUrgent($0, than: $1) }) where !seen.contains(vm) {
            guard let home = wanted[vm] else { continue }
            let bundle = affinityBundle(of: vm)
            seen.formUnion(bundle)
            wishes.append(MoveRequest(vms: bundle, to: home, reason: .returns))
        }
        return WaveScheduler.scheduleMoves(for: wishes, in: self, limits: limits, costs: costs)
    }

    private func isMoreUrgent(_ left: VMIndex, than right: VMIndex) -> Bool {
        let (first, second) = (descriptions[left], descriptions[right])
        return (first.priority, first.request.memoryBytes, right)
            > (second.priority, second.request.memoryBytes, left)
    }
}
