// What a run compares: how VMs are placed, and whether and how they are moved afterwards.
//
// The parts are the controller's own: `PlacementPolicy` and the planners of `ClusterState`. A strategy of one's own is a
// value of this type in `Strategies.all`; Policies.md shows how to write one.

import Model
package import Placement

/// Asked at each of its rounds which VMs should move. The simulation carries the moves out, with what they cost.
package protocol MovePolicy: Sendable {
    var name: String { get }
    /// Time between two rounds.
    var interval: Duration { get }
    /// Moves that begin now, in their order; those for which there is no room any more are dropped and counted.
    mutating func planMoves(in cluster: ClusterState, at now: SimTime) -> MovePlan
    /// Hosts without VMs that may sleep after this round; those asleep take VMs only when nothing else does.
    func hostsToSleep(in cluster: ClusterState) -> [HostIndex]
    /// Hosts, of those that sleep, that are to wake though no VM needs them yet.
    func hostsToWake(in cluster: ClusterState, asleep: [HostIndex]) -> [HostIndex]
    /// When it is asked next: `interval` later, unless it goes by a timetable. Later than `now`; `never`: not again.
    func nextRound(after now: SimTime) -> SimTime
    /// Whether a round is passed over while moves of the last one are under way or wait: a plan made from loads needs
    /// them measured where VMs are.
    var waitsForMoves: Bool { get }
}

extension MovePolicy {
    package func hostsToSleep(in cluster: ClusterState) -> [HostIndex] { [] }
    package func hostsToWake(in cluster: ClusterState, asleep: [HostIndex]) -> [HostIndex] { [] }
    package func nextRound(after now: SimTime) -> SimTime { now + interval }
    package var waitsForMoves: Bool { true }
}

/// What happens to a VM in a run.
package enum VMEvent: Hashable, Sendable {
    /// It was asked for: it is in the cluster and runs nowhere yet; the placement policy is asked next.
    case arrived(VMRequest)
    /// No host could take it: it leaves the cluster without having run.
    case refused
    /// It has ended and leaves the cluster. One that is lost with its host and started again has not ended.
    case departed
}

/// Told what happens to VMs, in the order of time, so that it can learn from them; what it expects it tells the cluster,
/// where policies find it.
package protocol RunObserver: Sendable {
    /// Whether it may see when VMs will depart: for upper references alone. To all others the departure of a request is
    /// `never`, so that nothing can be learnt from the future.
    var knowsDepartures: Bool { get }
    /// Before the VM is placed, and before it is removed.
    mutating func observeEvent(
        _ event: VMEvent, of vm: VMIndex, in cluster: inout ClusterState, at now: SimTime)
}

package struct Strategy: Sendable {
    package var name: String
    /// One sentence for lists and reports.
    package var summary: String
    package var placement: any PlacementPolicy
    package var moves: (any MovePolicy)?
    package var observer: (any RunObserver)?

    package init(
        _ name: String, summary: String, placement: any PlacementPolicy,
        moves: (any MovePolicy)? = nil, observer: (any RunObserver)? = nil
    ) {
        self.name = name
        self.summary = summary
        self.placement = placement
        self.moves = moves
        self.observer = observer
    }
}
