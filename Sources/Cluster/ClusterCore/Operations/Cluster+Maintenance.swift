// Hosts back to work after a drain, and the order in which hosts can be drained.

package import API
package import Model
import Placement

extension Cluster {
    package mutating func cancelDrain(
        of name: HostName, in context: inout Context
    ) throws(Problem) -> ClusterHost {
        let host = try hostRecord(named: name)
        guard host.wanted == .draining else {
            throw Problem(
                .wrongState, detail: "host \(name) is \(host.state.rawValue), not draining")
        }
        markHostActive(host, because: "the drain was cancelled", in: &context)
        return try self.clusterHost(named: name, at: context.now)
    }

    /// The operation that brings VMs back, where that was asked for and there is something to bring. An unreachable
    /// host is active from when it answers; nothing is brought to it.
    package mutating func activateHost(
        named name: HostName, as request: ActivateHost, requestedBy who: String,
        in context: inout Context
    ) throws(Problem) -> (host: ClusterHost, operation: OperationInfo?) {
        let host = try hostRecord(named: name)
        markHostActive(host, because: "the host was activated", in: &context)
        var operation: OperationInfo?
        if request.bringBack ?? false, host.silence == nil {
            operation = try bringBackVMs(to: name, requestedBy: who, in: &context)
        }
        return (try self.clusterHost(named: name, at: context.now), operation)
    }

    private mutating func markHostActive(
        _ host: HostRecord, because reason: String, in context: inout Context
    ) {
        var host = host
        host.wanted = .active
        storeHostRecord(host, in: &context)
        if let run = drainUnderWay(of: host.name) {
            beginCancellation(of: run.id, because: reason, in: &context)
        }
    }

    private mutating func bringBackVMs(
        to name: HostName, requestedBy who: String, in context: inout Context
    ) throws(Problem) -> OperationInfo? {
        let away = records.vms.all.filter {
            $0.home == name && $0.place?.host != name && !$0.isDeleting
        }
        guard !away.isEmpty, let index = scheduling.state.indexOfHost(named: name.text) else {
            return nil
        }
        var state = planningState()
        var homes: [VMID: String] = [:]
        var left: [UnmovedVM] = []
        for vm in away {
            if let reason = readiness(of: vm).reason {
                left.append(UnmovedVM(vm: vm.name, why: reason))
            } else {
                homes[vm.id] = name.text
            }
        }
        state.setHostState(.active, of: index)
        let moves = state.planReturn(
            to: index, homes: HomeTable(homes: homes), limits: moveLimits(), costs: scheduling.costs
        )
        var plan = planRecord(for: moves, from: state)
        plan.addUnmovedVMs(left)
        plan.limitMoves()
        return try beginOperation(
            for: OperationRequest(kind: .bringBack, host: name, plan: plan, requestedBy: who),
            in: &context)
    }

    package func planMaintenance(
        as request: PlanMaintenance
    ) throws(Problem) -> MaintenancePlanInfo {
        let names =
            request.hosts
            ?? records.hosts.sortedNames.filter { records.hosts[$0]?.state == .active }
        let state = planningState()
        var indices: [HostIndex] = []
        for name in names {
            guard let index = state.indexOfHost(named: name.text) else {
                throw Problem(.hostUnknown, detail: "the cluster has no host \(name)")
            }
            if !indices.contains(index) { indices.append(index) }
        }
        if let most = request.groupMax, !(1...Limits.hostsMax).contains(most) {
            throw Problem(.invalid, detail: "groupMax is \(most): use 1 to \(Limits.hostsMax)")
        }
        let plan = state.planMaintenance(
            of: indices, groupMax: request.groupMax ?? indices.count, limits: moveLimits(),
            costs: scheduling.costs)
        func maintenanceGroups(from groups: [MaintenanceGroup]) -> [MaintenancePlanInfo.Group] {
            groups.map { group in
                .init(
                    hosts: group.hosts.map { scheduling.hostName(at: $0) },
                    drain: PlanInfo(self.planRecord(for: group.drain, from: state)))
            }
        }
        return MaintenancePlanInfo(
            groups: maintenanceGroups(from: plan.groups),
            impossible: maintenanceGroups(from: plan.impossible))
    }
}
