// What was done, done again: each VM starts where it started, each move begins when it began.
//
// So the recorded decisions are judged by the same model as another policy's: a move takes what the model says, whatever
// it took in the cluster. It goes with the history's own workload, whose requests it knows by number.

import Model
import Placement
package import Simulation

extension History {
    package var recordedStrategy: Strategy {
        Strategy(
            "recorded", summary: "What the cluster did (its policy was \(header.policy)).",
            placement: RecordedPlacement(hosts: stays.map { Int32($0.host ?? -1) }),
            moves: RecordedMoves(self))
    }

    /// A run of this history under a strategy. What was done is repeated without the drains and failures that it was
    /// the answer to; other strategies meet them themselves.
    package func makeScenario(
        using strategy: Strategy, power: [PowerCurve], seed: UInt64
    ) -> Scenario {
        let workload = workload
        var scenario = Scenario(
            workload: workload, hosts: workload.hosts, power: power, strategy: strategy, seed: seed)
        scenario.samplingInterval = readingInterval
        if strategy.name == "recorded" {
            // They were within the limits of the cluster; the model's moves may last longer than those did.
            scenario.limits = MoveLimits(
                perHost: Limits.vmsMax, perLink: Limits.vmsMax, perCluster: Limits.vmsMax)
        } else {
            scenario.events = hostEvents
        }
        return scenario
    }
}

private struct RecordedPlacement: PlacementPolicy {
    let name = "recorded"
    let choice = HostChoice.dictated
    /// By request; -1: no host was found.
    let hosts: [Int32]

    func dictatedHost(for vm: VMIndex, in cluster: ClusterState) -> HostIndex? {
        let request = cluster.description(of: vm).id.low
        guard request < hosts.count, hosts[Int(request)] >= 0 else { return nil }
        return Int(hosts[Int(request)])
    }

    func placementScore(of vm: VMIndex, on host: HostIndex, in cluster: ClusterState) -> Double {
        dictatedHost(for: vm, in: cluster) == host ? 1 : 0
    }
}

private struct RecordedMoves: MovePolicy {
    private struct Move {
        var at: SimTime
        var request: Int
        var to: HostIndex
    }

    let name = "recorded"
    /// Between two looks at a move that could not begin yet.
    let interval = Duration.seconds(1)
    let waitsForMoves = false
    /// Ascending in time.
    private let moves: [Move]
    private var next = 0
    /// Due, and not seen under way yet.
    private var pending: [Move] = []

    init(_ history: History) {
        moves = history.stays.enumerated().flatMap { request, stay in
            stay.moves.map {
                Move(at: SimTime(milliseconds: $0.begin), request: request, to: $0.to)
            }
        }.sorted { ($0.at, $0.request) < ($1.at, $1.request) }
    }

    func nextRound(after now: SimTime) -> SimTime {
        if !pending.isEmpty { return now + interval }
        guard next < moves.count else { return .never }
        return max(moves[next].at, now + .nanoseconds(1))
    }

    mutating func planMoves(in cluster: ClusterState, at now: SimTime) -> MovePlan {
        while next < moves.count, moves[next].at <= now {
            pending.append(moves[next])
            next += 1
        }
        var plan = MovePlan()
        var waiting: [Move] = []
        // A VM's second move waits for its first.
        var held: Set<Int> = []
        for move in pending {
            if held.contains(move.request) {
                waiting.append(move)
                continue
            }
            guard let vm = cluster.indexOfVM(withID: Workload.identifier(ofRequest: move.request)),
                let host = cluster.currentHost(of: vm),
                (cluster.migrationTarget(of: vm) ?? host) != move.to
            else { continue }
            waiting.append(move)
            held.insert(move.request)
            // Room may be there later than it was, for the model's moves take their own time.
            if cluster.migrationTarget(of: vm) == nil,
                cluster.refusalReason(of: vm, on: move.to, for: .migration) == nil
            {
                plan.moves.append(plannedMove(of: vm, from: host, to: move.to, in: cluster))
            }
        }
        pending = waiting
        plan.waves = plan.moves.isEmpty ? 0 : 1
        return plan
    }

    private func plannedMove(
        of vm: VMIndex, from: HostIndex, to: HostIndex, in cluster: ClusterState
    ) -> PlannedMove {
        let link = min(
            cluster.hosts[from].linkBytesPerSecond, cluster.hosts[to].linkBytesPerSecond)
        return PlannedMove(
            vm: vm, from: from, to: to, reason: .returns, wave: 0,
            prediction: MigrationCostModel().predictMigration(
                of: cluster.description(of: vm), linkBytesPerSecond: link))
    }
}
