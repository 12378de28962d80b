// A plan of moves: who goes where, in which wave, for what reason, and what it is expected to take.

/// How many moves may be under way at once.
package struct MoveLimits: Hashable, Sendable {
    /// Coming to or leaving one host.
    package var perHost = 2
    /// Over one link.
    package var perLink = 4
    package var perCluster = 16

    package init(perHost: Int = 2, perLink: Int = 4, perCluster: Int = 16) {
        self.perHost = max(1, perHost)
        self.perLink = max(1, perLink)
        self.perCluster = max(1, perCluster)
    }
}

/// Why a move is in a plan.
package enum MoveReason: Hashable, Sendable {
    /// It lowers the imbalance: the figure before and after it, and what it is worth and costs in busy hosts times
    /// seconds.
    case balances(before: Double, after: Double, worth: Double, cost: Double)
    /// Its host is emptied so that it may sleep: what that is worth and costs with all its VMs, in host seconds.
    case empties(worth: Double, cost: Double)
    /// Its host is drained.
    case drains
    /// It makes room for another VM of the plan.
    case makesRoom(for: VMIndex)
    /// A stop on the way: its destination has no room before others have left.
    case stopsOver(onTheWayTo: HostIndex)
    /// It goes back to the host that it came from.
    case returns
}

package struct PlannedMove: Hashable, Sendable {
    package var vm: VMIndex
    package var from: HostIndex
    package var to: HostIndex
    package var reason: MoveReason
    /// Moves of one wave go side by side; a wave begins when the one before it is over. From 0.
    package var wave: Int
    package var prediction: MigrationPrediction

    package init(
        vm: VMIndex, from: HostIndex, to: HostIndex, reason: MoveReason, wave: Int,
        prediction: MigrationPrediction
    ) {
        self.vm = vm
        self.from = from
        self.to = to
        self.reason = reason
        self.wave = wave
        self.prediction = prediction
    }
}

/// A VM that the plan does not move, and why.
package struct UnplannedVM: Hashable, Sendable {
    package var vm: VMIndex
    package var reason: RefusalSummary
}

/// Moves in the order in which they begin. Every hard rule holds before, during and after each of them.
package struct MovePlan: Hashable, Sendable {
    package var moves: [PlannedMove] = []
    package var left: [UnplannedVM] = []
    package var waves = 0
    /// All waves, one after the other.
    package var duration = Predicted<Duration>([], expected: .zero)

    package init() {}

    /// Moves whose expected pause is longer than their VM allows: the engine may end them, the VM staying where it is.
    package var aboveDowntimeLimit: [PlannedMove] {
        moves.filter { !$0.prediction.keepsDowntimeLimit }
    }

    /// Applies the plan to a cluster, wave by wave, and notes where each VM came from. `check` sees each state on the
    /// way.
    package func applyMoves(
        to cluster: inout ClusterState, check: (ClusterState) -> Void = { _ in }
    ) {
        var origins: [VMIndex: HostIndex] = [:]
        var rest = moves[...]
        while let wave = rest.first?.wave {
            let now = rest.prefix { $0.wave == wave }
            for move in now {
                cluster.beginMigration(of: move.vm, to: move.to)
                check(cluster)
            }
            for move in now {
                cluster.finishMigration(of: move.vm)
                let origin = origins[move.vm] ?? move.from
                origins[move.vm] = origin
                cluster.setLastMove(
                    LastMove(from: cluster.hosts[origin].name, age: .zero), of: move.vm)
            }
            check(cluster)
            rest = rest.dropFirst(now.count)
        }
    }
}
