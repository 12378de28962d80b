// What each VM used of its CPU at the last rounds.

struct LoadHistory {
    private let vms: Int
    private var rounds = 0
    /// A ring of rounds, each with one share a VM.
    private var shares: [Double]

    init(vms: Int) {
        self.vms = vms
        shares = Array(repeating: 0, count: vms * OverloadTest.pointsMax)
    }

    mutating func appendRound(use: [Double]) {
        let first = rounds % OverloadTest.pointsMax * vms
        for vm in 0..<vms { shares[first + vm] = use[vm] }
        rounds += 1
    }

    /// 0 for rounds before the first.
    func recordedUse(ofVM vm: Int, roundsAgo: Int) -> Double {
        guard roundsAgo < rounds else { return 0 }
        return shares[(rounds - 1 - roundsAgo) % OverloadTest.pointsMax * vms + vm]
    }
}
