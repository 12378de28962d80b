// What strategies may know of lifetimes: what they have learnt in the run, or, as an upper reference, the truth.

package import Placement

/// Foretells departures from VMs that have ended in this run.
package struct LearntLifetimes: RunObserver {
    package let knowsDepartures = false
    private var forecast = DepartureForecast()

    package init() {}

    package mutating func observeEvent(
        _ event: VMEvent, of vm: VMIndex, in cluster: inout ClusterState, at now: SimTime
    ) {
        switch event {
        case .arrived(let request):
            forecast.recordArrival(of: vm, kind: request.kind, in: &cluster, at: now.wholeSeconds)
        case .refused:
            forecast.recordRefusal(of: vm)
        case .departed:
            forecast.recordDeparture(of: vm, in: &cluster, at: now.wholeSeconds)
        }
    }
}

/// Tells the departures that the trace has: what could be reached if every lifetime were known.
package struct TrueLifetimes: RunObserver {
    package let knowsDepartures = true

    package init() {}

    package mutating func observeEvent(
        _ event: VMEvent, of vm: VMIndex, in cluster: inout ClusterState, at now: SimTime
    ) {
        cluster.advanceClock(to: now.wholeSeconds)
        guard case .arrived(let request) = event else { return }
        let departure =
            request.departure == .never ? ClusterState.never : request.departure.wholeSeconds
        cluster.setExpectedDeparture(at: departure, of: vm)
    }
}

extension SimTime {
    fileprivate var wholeSeconds: Int { Int(nanoseconds / 1_000_000_000) }
}
