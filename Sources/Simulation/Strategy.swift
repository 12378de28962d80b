// What a run compares: how VMs are placed, and whether and how they are moved afterwards.
//
// The parts are the controller's own: `PlacementPolicy` and the planners of `ClusterState`. A strategy of one's own is a
// value of this type in `Strategies.all`; README shows one.

import Model
package import Placement

/// Asked at each of its rounds which VMs should move. The simulation carries the moves out, with what they cost.
package protocol MovePolicy: Sendable {
    var name: String { get }
    /// Time between two rounds.
    var interval: Duration { get }
    /// Moves that begin now, in their order; those for which there is no room any more are dropped and counted.
    mutating func plan(_ cluster: ClusterState, at now: SimTime) -> MovePlan
    /// Hosts without VMs that may sleep after this round; those asleep take VMs only when nothing else does.
    func hostsToSleep(_ cluster: ClusterState) -> [HostIndex]
    /// When it is asked next: `interval` later, unless it goes by a timetable. Later than `now`; `never`: not again.
    func nextRound(after now: SimTime) -> SimTime
}

extension MovePolicy {
    package func hostsToSleep(_ cluster: ClusterState) -> [HostIndex] { [] }
    package func nextRound(after now: SimTime) -> SimTime { now + interval }
}

package struct Strategy: Sendable {
    package var name: String
    /// One sentence for lists and reports.
    package var summary: String
    package var placement: any PlacementPolicy
    package var moves: (any MovePolicy)?

    package init(
        _ name: String, _ summary: String, placement: any PlacementPolicy,
        moves: (any MovePolicy)? = nil
    ) {
        self.name = name
        self.summary = summary
        self.placement = placement
        self.moves = moves
    }
}
