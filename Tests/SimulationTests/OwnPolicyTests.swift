// Policies of one's own: placement by a score, moves by a plan, in a run.

import Model
import Placement
import Simulation
import Testing

/// A strategy of one's own: places VMs by a policy and moves one VM a round off the fullest host.
private struct OneMoveARound: MovePolicy {
    let name = "one-move-a-round"
    let interval = Duration.seconds(600)

    mutating func planMoves(in cluster: ClusterState, at now: SimTime) -> MovePlan {
        var rules = BalanceRules.greedySearch(movesMax: 1)
        rules.gainMin = 0.001
        return cluster.planBalance(rules: rules).moves
    }
}

@Suite("Policies of one's own")
struct OwnPolicyTests {
    private func requests() -> Workload {
        workload((0..<40).map { request(from: Double($0), vcpus: 1) }, seconds: 7200)
    }

    @Test func `The example runs in the simulator by its name`() throws {
        let strategy = try Strategies.findStrategy(named: "fewest-vms", seed: 1)
        let result = try scenario(requests(), on: hosts(20), strategy).runSimulation()
        #expect(result.placed == 40 && result.hostsInUseMax.value == 20)
    }

    @Test func `A move policy of one's own is asked at its rounds`() throws {
        let own = Strategy(
            "own", summary: "best-fit, and one move a round", placement: BestFit(),
            moves: OneMoveARound())
        let result = try scenario(requests(), on: hosts(20), own).runSimulation()
        #expect((1...12).contains(result.migrations), "\(result.migrations)")
    }
}
