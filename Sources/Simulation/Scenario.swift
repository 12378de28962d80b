// One run: a workload, hosts, a strategy, what goes wrong or is maintained, and a seed.

import Model
package import Placement

/// What a host draws, in watts, at 0, 10, ..., 100 % of its cores; linear in between.
package struct PowerCurve: Hashable, Sendable {
    package var watts: [Double]
    /// While it sleeps.
    package var asleep: Double

    package init(watts: [Double], asleep: Double = 0) {
        precondition(watts.count == 11, "one figure for each tenth")
        self.watts = watts
        self.asleep = asleep
    }

    package func watts(at share: Double) -> Double {
        let place = Swift.min(Swift.max(share, 0), 1) * 10
        let below = Swift.min(Int(place), 9)
        return watts[below] + (watts[below + 1] - watts[below]) * (place - Double(below))
    }
}

/// A host that fails, or is drained, in a run.
package enum HostEvent: Hashable, Sendable {
    /// Its VMs are lost; they are asked for again at once.
    case fails(HostIndex, at: SimTime, backAfter: Duration)
    /// Emptied by live migration as the controller does it, then away for so long.
    case drained(HostIndex, at: SimTime, maintenance: Duration)

    package var time: SimTime {
        switch self {
        case .fails(_, let time, _), .drained(_, let time, _): time
        }
    }
}

package struct Scenario: Sendable {
    package var workload: Workload
    /// Used when the workload describes none.
    package var hosts: [PlacementHost]
    /// One for each host, or one for all.
    package var power: [PowerCurve]
    package var strategy: Strategy
    package var events: [HostEvent] = []
    package var limits = MoveLimits()
    package var costs = MigrationCostModel()
    /// From the word until a sleeping host takes VMs.
    package var wakeTime = Duration.seconds(120)
    /// Time between two readings of utilisation.
    package var samplingInterval = Duration.seconds(300)
    package var assumedBusyShare = 0.3
    package var seed: UInt64
    /// Samples of the course and columns of the heat map, at most.
    package var courseSamplesMax = 512
    /// Rows of the heat map, at most.
    package var heatRowsMax = 64

    package init(
        workload: Workload, hosts: [PlacementHost], power: [PowerCurve], strategy: Strategy,
        seed: UInt64
    ) {
        self.workload = workload
        self.hosts = hosts
        self.power = power
        self.strategy = strategy
        self.seed = seed
    }
}

// The run itself: `Scenario.run(progress:) throws(SimulationError) -> RunResult`.

/// Why a run cannot begin.
package enum SimulationError: Error, Hashable, Sendable {
    case noHosts
    case noRequests(workload: String)
    case badScenario(String)
    case badHost(ClusterStateError)
}
