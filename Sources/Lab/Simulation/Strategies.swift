// The strategies that come with Ferry, by name: every placement policy alone, and those that also move VMs.

import Placement

/// A name that no strategy has.
package struct UnknownStrategy: Error, Hashable, Sendable, CustomStringConvertible {
    package var name: String
    package var known: [String]

    package var description: String {
        "there is no policy '\(name.prefix(40))': use \(known.joined(separator: ", "))"
    }
}

package enum Strategies {
    /// - Parameter seed: for policies that draw lots.
    package static func allStrategies(seed: UInt64) -> [Strategy] {
        NamedPolicies.allPolicies(seed: seed).map { placementOnly(using: $0) } + lifetimeAware
            + moving
    }

    private static var lifetimeAware: [Strategy] {
        [
            Strategy(
                "lifetime-aware", summary: "VMs that are expected to end together stand together",
                placement: LifetimeAware(), observer: LearntLifetimes()),
            Strategy(
                "lifetime-oracle",
                summary: "the same with every lifetime known: an upper reference",
                placement: LifetimeAware(), observer: TrueLifetimes()),
        ]
    }

    private static var moving: [Strategy] {
        [
            Strategy(
                "balance",
                summary: "worst-fit, and the controller's balance levels the measured load",
                placement: WorstFit(), moves: LoadBalancing()),
            Strategy(
                "consolidate",
                summary: "best-fit, and hosts are emptied to sleep where that repays its moves",
                placement: BestFit(), moves: Consolidation()),
        ]
    }

    package static func findStrategy(
        named name: String, seed: UInt64
    ) throws(UnknownStrategy) -> Strategy {
        let all = allStrategies(seed: seed)
        guard let found = all.first(where: { $0.name == name }) else {
            throw UnknownStrategy(name: name, known: all.map(\.name))
        }
        return found
    }

    /// Places VMs and never moves one.
    private static func placementOnly(using policy: any PlacementPolicy) -> Strategy {
        Strategy(policy.name, summary: policy.summary, placement: policy)
    }
}
