// A cloud as Azure's 2017 trace shows it: tenants ask for batches of VMs, more by day than by night; most VMs live for
// minutes, a few for weeks, and those of one tenant for about as long.
//
// All figures are of the 259,159 VMs in 53,109 batches of three and a half days of that trace (Cortez et al., SOSP 2017;
// github.com/Azure/AzurePublicDataset, CC-BY 4.0), lifetimes by the estimate of Kaplan and Meier because some outlast it.
// The cloud has run for ever when the workload begins: VMs are there by the law of equilibrium renewal, with what is left
// of their lifetimes.

import Model
import Placement
import Simulation

enum AzureLike {
    /// Lifetimes in seconds, and the share of VMs that live no longer. In between, the logarithm is spread evenly. The first
    /// point is an assumption, because the trace counts in steps of 300 s; the last is the length of the whole trace, 30 days.
    static let lifetimes: [(seconds: Double, share: Double)] = [
        (60, 0), (300, 0.1146), (600, 0.2298), (900, 0.3400), (1200, 0.4462), (1500, 0.5294),
        (1800, 0.5750), (2700, 0.6582), (3600, 0.6898), (7200, 0.7682), (14_400, 0.8200),
        (28_800, 0.8687), (43_200, 0.9026), (64_800, 0.9378), (86_400, 0.9526),
        (172_800, 0.9780), (259_200, 0.9867), (2_592_000, 1),
    ]
    /// Normal scores of two lifetimes of one batch have this correlation.
    private static let likeness = 0.78
    /// Subscriptions in the whole trace.
    private static let tenants = 5958
    /// VMs of a batch from, to, and the share of batches.
    private static let batches: [(from: Double, to: Double, share: Double)] = [
        (1, 1, 0.579), (2, 2, 0.185), (3, 3, 0.062), (4, 4, 0.038), (5, 8, 0.057),
        (9, 16, 0.037), (17, 32, 0.018), (33, 64, 0.0115), (65, 128, 0.0055), (129, 587, 0.006),
    ]
    /// Of the daily wave in the rate of batches, and its peak as a part of the day.
    private static let wave = 0.4
    private static let wavePeak = 18.45 / 24

    static func makeWorkload(from parameters: SyntheticParameters) -> SyntheticDraft {
        var variates = Variates(seed: parameters.seed)
        var draft = SyntheticDraft()
        let seconds = parameters.duration.seconds
        let rows = SyntheticUse.sharedRowCount(vms: parameters.vms, over: parameters.duration)
        SyntheticUse.addLikePlanetLab(
            to: &draft.workload, rows: rows,
            samples: SyntheticUse.sampleCount(over: parameters.duration),
            using: &variates)
        // Those there at the start are to those that arrive as a lifetime is to the duration (Little's law).
        let shareThere = meanLifetime / (meanLifetime + seconds)
        let there = Int((Double(parameters.vms) * shareThere).rounded())
        for _ in 0..<there { draft.addRequest(vmRunningAtStart(using: &variates)) }
        while draft.workload.requests.count < parameters.vms {
            let most = parameters.vms - draft.workload.requests.count
            for request in drawRequestBatch(within: seconds, atMost: most, using: &variates) {
                draft.addRequest(request)
            }
        }
        for row in draft.workload.requests.indices {
            draft.workload.requests[row].series = Int32(row % rows)
        }
        return draft
    }

    /// A batch of one shape and one tenant.
    private static func drawRequestBatch(
        within seconds: Double, atMost most: Int, using variates: inout Variates
    ) -> [VMRequest] {
        let arrival = batchTime(within: seconds, using: &variates)
        let tenant = variates.drawNumber(below: tenants)
        let shape = SyntheticShapes.azure.drawShape(using: &variates)
        let score = PortableMath.normalQuantile(ofShare: (Double(tenant) + 0.5) / Double(tenants))
        return (0..<min(most, batchSize(using: &variates))).map { _ in
            let own = (1 - likeness).squareRoot() * variates.drawNormal()
            let life = lifetimeQuantile(
                atShare: PortableMath.normalShare(below: likeness.squareRoot() * score + own))
            return vmRequest(
                arrival: arrival, departure: arrival + life, shape: shape, tenant: tenant)
        }
    }

    /// A VM met at a random moment: long lives are met more often, as often as they are longer, and any age is as likely as
    /// another. Its tenant is one whose VMs live about so long.
    private static func vmRunningAtStart(using variates: inout Variates) -> VMRequest {
        let piece = variates.drawIndex(weights: pieceWeights)
        let (low, high) = (lifetimes[piece], lifetimes[piece + 1])
        // The logarithm spread evenly, times the length, is the length spread evenly.
        let life = low.seconds + (high.seconds - low.seconds) * variates.drawFraction()
        let position =
            PortableMath.naturalLogarithm(life / low.seconds)
            / PortableMath.naturalLogarithm(high.seconds / low.seconds)
        let share = low.share + (high.share - low.share) * position
        let score = PortableMath.normalQuantile(ofShare: min(max(share, 1e-9), 1 - 1e-9))
        let tenantScore =
            likeness.squareRoot() * score + (1 - likeness).squareRoot() * variates.drawNormal()
        let tenant = min(
            tenants - 1, Int(PortableMath.normalShare(below: tenantScore) * Double(tenants)))
        let shape = SyntheticShapes.azure.drawShape(using: &variates)
        return vmRequest(
            arrival: 0, departure: life * variates.drawFraction(), shape: shape, tenant: tenant)
    }

    private static func vmRequest(
        arrival: Double, departure: Double, shape: Resources, tenant: Int
    ) -> VMRequest {
        var request = VMRequest(
            arrival: SimTime(seconds: arrival), departure: SimTime(seconds: departure),
            request: shape)
        request.kind = Int32(tenant + 1)
        return request
    }

    /// The lifetime that a share of all VMs do not outlive.
    static func lifetimeQuantile(atShare share: Double) -> Double {
        let above = lifetimes.firstIndex { $0.share > share } ?? lifetimes.count - 1
        let (low, high) = (lifetimes[above - 1], lifetimes[above])
        let position = min(1, (share - low.share) / (high.share - low.share))
        return low.seconds
            * PortableMath.exponential(
                PortableMath.naturalLogarithm(high.seconds / low.seconds) * position)
    }

    /// Each piece's part in the mean lifetime.
    private static let pieceWeights: [Double] = zip(lifetimes, lifetimes.dropFirst()).map {
        ($1.share - $0.share) * ($1.seconds - $0.seconds)
            / PortableMath.naturalLogarithm($1.seconds / $0.seconds)
    }

    static let meanLifetime = pieceWeights.reduce(0, +)

    /// By rejection against the rate's peak; it takes 1.4 tries on average.
    private static func batchTime(within seconds: Double, using variates: inout Variates) -> Double
    {
        for _ in 0..<1000 {
            let time = variates.drawFraction() * seconds
            let rate = 1 + wave * PortableMath.cosine(turns: time / 86_400 - wavePeak)
            if variates.drawFraction() * (1 + wave) < rate { return time }
        }
        return 0
    }

    private static func batchSize(using variates: inout Variates) -> Int {
        let piece = batches[variates.drawIndex(weights: batches.map(\.share))]
        return Int(variates.drawLogUniform(from: piece.from, to: piece.to + 1))
    }
}
