// The move policies that come with Ferry: the planners of `ClusterState`, asked at equal intervals.

import Model
package import Placement

/// The controller's own balance.
package struct LoadBalancing: MovePolicy {
    package let name = "balance"
    package let interval: Duration
    private let rules: BalanceRules
    private let costs: MigrationCostModel

    /// - Parameters:
    ///   - interval: the controller's by default.
    ///   - costs: what it expects a move to cost; the run decides what it does cost.
    package init(
        _ rules: BalanceRules = BalanceRules(), every interval: Duration = .seconds(60),
        costs: MigrationCostModel = MigrationCostModel()
    ) {
        self.rules = rules
        self.interval = interval
        self.costs = costs
    }

    package mutating func planMoves(in cluster: ClusterState, at now: SimTime) -> MovePlan {
        cluster.planBalance(rules: rules, costs: costs).moves
    }
}

/// Empties the hosts whose emptying repays its moves, and lets them sleep.
package struct Consolidation: MovePolicy {
    package let name = "consolidate"
    package let interval: Duration
    private let rules: ConsolidationRules
    private let costs: MigrationCostModel

    /// - Parameter costs: what it expects a move to cost; the run decides what it does cost.
    package init(
        _ rules: ConsolidationRules = ConsolidationRules(),
        every interval: Duration = .seconds(300),
        costs: MigrationCostModel = MigrationCostModel()
    ) {
        self.rules = rules
        self.interval = interval
        self.costs = costs
    }

    package mutating func planMoves(in cluster: ClusterState, at now: SimTime) -> MovePlan {
        cluster.planConsolidation(rules: rules, costs: costs).moves
    }

    package func hostsToSleep(in cluster: ClusterState) -> [HostIndex] {
        cluster.hostsToSleep(rules: rules)
    }

    package func hostsToWake(in cluster: ClusterState, asleep: [HostIndex]) -> [HostIndex] {
        cluster.hostsToWake(rules: rules, asleep: asleep)
    }
}
