// The balancer's settings, as operators set them, records keep them and the balancer obeys them.

package enum BalanceMode: String, Hashable, Sendable, Codable, CaseIterable {
    case off
    /// Plans are made and shown; nothing is moved.
    case advise
    case auto
}

/// The balancer's settings. `Placement.BalanceRules` says what each means.
package struct BalanceSettings: Hashable, Sendable, Codable {
    package var mode: BalanceMode
    package var intervalSeconds: Double
    /// Balance begins above `startAbove` and ends at `settleAt`.
    package var startAbove: Double
    package var settleAt: Double
    package var coolDownSeconds: Double
    /// For so long a VM does not go back to the host that it left.
    package var returnBarSeconds: Double
    /// For how long the measured load is trusted to hold: what a move brings is counted over this.
    package var horizonSeconds: Double
    package var movesMax: Int
    package var perHost: Int
    package var perLink: Int
    package var perCluster: Int

    package init(
        mode: BalanceMode = .advise, intervalSeconds: Double = 60, startAbove: Double = 0.08,
        settleAt: Double = 0.05, coolDownSeconds: Double = 1800, returnBarSeconds: Double = 86400,
        horizonSeconds: Double = 600, movesMax: Int = 100, perHost: Int = 2, perLink: Int = 4,
        perCluster: Int = 16
    ) {
        self.mode = mode
        self.intervalSeconds = intervalSeconds
        self.startAbove = startAbove
        self.settleAt = settleAt
        self.coolDownSeconds = coolDownSeconds
        self.returnBarSeconds = returnBarSeconds
        self.horizonSeconds = horizonSeconds
        self.movesMax = movesMax
        self.perHost = perHost
        self.perLink = perLink
        self.perCluster = perCluster
    }
}
