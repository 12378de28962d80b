// Long work: operations that move VMs, how they begin, go on and end.

package import API
package import Model
import Placement

/// The balancer's memory between two looks.
struct BalancerSight {
    var lastPlan: PlanInfo?
    var lastPlanAtMs: Int64?
    var lookedAt: Duration?
}

extension Cluster {
    // MARK: One VM

    package mutating func migrateVM(
        _ name: VMName, _ request: MigrateVM, by who: String, _ now: Moment,
        _ output: inout Output
    ) throws(Problem) -> OperationInfo {
        throw Problem(.internalError, "")
    }

    // MARK: Drain

    package func planDrain(
        _ name: HostName, _ request: DrainHost, _ now: Moment
    ) throws(Problem) -> PlanInfo {
        throw Problem(.internalError, "")
    }

    package mutating func drain(
        _ name: HostName, _ request: DrainHost, by who: String, _ now: Moment,
        _ output: inout Output
    ) throws(Problem) -> OperationInfo {
        throw Problem(.internalError, "")
    }

    package mutating func cancelDrain(
        _ name: HostName, _ now: Moment, _ output: inout Output
    ) throws(Problem) -> ClusterHost {
        throw Problem(.internalError, "")
    }

    /// The operation that brings VMs back, where that was asked for and there is something to bring.
    package mutating func activate(
        _ name: HostName, _ request: ActivateHost, by who: String, _ now: Moment,
        _ output: inout Output
    ) throws(Problem) -> (host: ClusterHost, operation: OperationInfo?) {
        throw Problem(.internalError, "")
    }

    package func planMaintenance(
        _ request: PlanMaintenance, _ now: Moment
    ) throws(Problem) -> MaintenancePlanInfo {
        throw Problem(.internalError, "")
    }

    // MARK: Balance

    package func balanceInfo() -> BalanceInfo {
        BalanceInfo(settings: balance.settings, revision: balance.version, imbalance: imbalance)
    }

    package mutating func updateBalance(
        _ update: UpdateBalance, _ now: Moment, _ output: inout Output
    ) throws(Problem) -> BalanceInfo {
        throw Problem(.internalError, "")
    }

    package mutating func planBalance(_ now: Moment) throws(Problem) -> PlanInfo {
        throw Problem(.internalError, "")
    }

    package mutating func runBalance(
        by who: String, _ now: Moment, _ output: inout Output
    ) throws(Problem) -> OperationInfo {
        throw Problem(.internalError, "")
    }

    mutating func tickBalance(_ now: Moment, _ output: inout Output) {}

    // MARK: Operations

    package func operation(_ id: OperationID) throws(Problem) -> OperationInfo {
        guard let operation = operations[id] else {
            throw Problem(.operationNotFound, "the cluster knows no operation \(id)")
        }
        return operation.info
    }

    /// The newest first.
    package func operations(
        after: OperationID?, limit: Int, state: OperationInfo.State? = nil
    ) -> Page<OperationInfo> {
        Page(items: [])
    }

    package mutating func cancelOperation(
        _ id: OperationID, _ now: Moment, _ output: inout Output
    ) throws(Problem) -> OperationInfo {
        throw Problem(.internalError, "")
    }

    /// Operations go on: waves begin, attempts come again, ends are noted.
    mutating func tickOperations(_ now: Moment, _ output: inout Output) {}

    /// A move that an operation ordered is over.
    mutating func moveEnded(
        _ vm: VMID, _ move: MoveOrder, _ result: MoveResult, _ now: Moment,
        _ output: inout Output
    ) {}
}
