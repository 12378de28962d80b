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

    package func wattsDrawn(at share: Double) -> Double {
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
    /// Memory that a migration needs at its destination beside the guest's own: the controller's figure.
    package var migrationOverheadBytes = 64 << 20
    /// Cores that the engine keeps busy at each end while a VM is moved.
    package var migrationCores = 1.0
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

// The run itself is `Scenario.run(progress:)` in Run.swift.

/// How far a run has come.
package struct RunProgress: Hashable, Sendable {
    /// Of the simulated time.
    package var fraction: Double
    package var time: SimTime
    /// Of the workload, so far.
    package var requests: Int

    package init(fraction: Double, time: SimTime, requests: Int) {
        self.fraction = fraction
        self.time = time
        self.requests = requests
    }
}

/// Why a run cannot begin, or did not end.
package enum SimulationError: Error, Hashable, Sendable {
    case noHosts
    case noRequests(workload: String)
    case badScenario(String)
    case badHost(ClusterStateError)
    case badRequest(String, ClusterStateError)
    /// The one who follows the progress said so.
    case cancelled(at: SimTime)
}

extension SimulationError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .noHosts: "there are no hosts: say how many, or take a trace that describes them"
        case .noRequests(let workload): "workload \(workload) asks for no VMs"
        case .badScenario(let what): what
        case .badHost(let error): "a host cannot be simulated: \(error)"
        case .badRequest(let name, let error): "VM \(name) cannot be simulated: \(error)"
        case .cancelled(let time): "the run was ended after \(time.seconds) simulated seconds"
        }
    }
}
