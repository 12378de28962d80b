// When balance begins, what a move must be worth, when it ends.

import Model

/// What a move costs against what it brings, both in busy hosts times seconds.
///
/// A move is worth: the fall of the imbalance × hosts × `horizon`, for as long as the measured load is trusted to hold.
/// It costs: its seconds × `hostShare`, and its downtime × `downtimeShare`.
package struct MovePrice: Hashable, Sendable {
    package var horizon = Duration.seconds(600)
    /// How much of a host a migration under way keeps busy, both ends together.
    package var hostShare = 0.1
    /// What a second of a VM's downtime counts.
    package var downtimeShare = 20.0

    package init() {}
}

package struct BalanceRules: Hashable, Sendable {
    /// Balance begins when the imbalance is above this.
    package var startAbove = 0.08
    /// And goes on until it is at most this: below `startAbove`, so that it does not start again at once.
    package var settleAt = 0.05
    /// Nil: moves are free.
    package var price: MovePrice? = MovePrice()
    /// The least fall of the imbalance that counts at all.
    package var gainMin = 1e-9
    package var movesMax = 100
    package var limits = MoveLimits()
    /// A VM that was moved less than this ago stays.
    package var coolDown = Duration.seconds(1800)
    /// For so long a VM does not go back to the host that it left.
    package var returnBar = Duration.seconds(24 * 3600)
    /// Judge every pair of VM and host for every move, not first those of the hottest and coolest hosts.
    package var isExhaustive = false

    package init() {}

    /// Take every move that lowers the figure, the best first: what hbal does.
    package static func greedySearch(movesMax: Int) -> BalanceRules {
        var rules = BalanceRules()
        rules.startAbove = 0
        rules.settleAt = 0
        rules.price = nil
        rules.movesMax = movesMax
        rules.isExhaustive = true
        return rules
    }
}

/// Why a plan ends where it ends.
package enum BalanceOutcome: Hashable, Sendable {
    /// The imbalance does not call for anything.
    case isBalanced(imbalance: Double, startAbove: Double)
    case settled(imbalance: Double, settleAt: Double)
    case movesMaxReached(Int)
    case noMoveIsWorthIt(BestRefusedMove)
}

/// The state of affairs when no move is worth it.
package struct BestRefusedMove: Hashable, Sendable {
    package struct Move: Hashable, Sendable {
        package var vm: String
        package var to: String
        package var gain: Double
        package var worth: Double
        package var cost: Double
    }

    /// Pairs of VM and host that were judged for the last move.
    package var pairsJudged = 0
    /// Whether these were all.
    package var sawAll = true
    /// VMs that may not be moved now: pinned, excluded, in cool-down, moved by this plan, above their downtime limit.
    package var vmsHeld = 0
    /// The move that came nearest to being worth it; nil when none lowers the imbalance.
    package var nearest: Move?
}

extension BalanceOutcome: CustomStringConvertible {
    package var description: String {
        func decimalText(for value: Double) -> String { "\(value.rounded(decimals: 4))" }
        switch self {
        case .isBalanced(let imbalance, let limit):
            return
                "imbalance \(decimalText(for: imbalance)) is not above \(decimalText(for: limit))"
        case .settled(let imbalance, let limit):
            return "imbalance \(decimalText(for: imbalance)) is at most \(decimalText(for: limit))"
        case .movesMaxReached(let moves):
            return "\(moves) moves are planned, the most that one plan may have"
        case .noMoveIsWorthIt(let facts):
            let seen =
                "\(facts.pairsJudged) \(facts.sawAll ? "" : "of the likeliest ")pairs of VM and host judged, "
                + "\(facts.vmsHeld) VMs may not move"
            guard let move = facts.nearest else {
                return "no move lowers the imbalance (\(seen))"
            }
            return
                "no move is worth it: \(move.vm) to \(move.to) would bring \(decimalText(for: move.worth)) "
                + "and cost \(decimalText(for: move.cost)) host seconds (\(seen))"
        }
    }
}

/// Moves that level the load, and the figures they change.
package struct BalancePlan: Hashable, Sendable {
    package var before: Double
    package var after: Double
    package var moves: MovePlan
    package var outcome: BalanceOutcome
}
