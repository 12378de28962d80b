// Policies of one's own: a line here makes one known to the controller, the simulator and the command line.

enum OwnPolicies {
    /// - Parameter seed: for policies that draw lots.
    static func allPolicies(seed: UInt64) -> [any PlacementPolicy] {
        [
            FewestVMs()
        ]
    }
}
