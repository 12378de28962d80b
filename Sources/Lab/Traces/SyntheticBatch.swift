// Parallel jobs as VMs: one for each process of a job, all there for as long as the job runs, all busy.
//
// Sizes and running times are those of Lublin and Feitelson, "The workload on parallel supercomputers: modeling the
// characteristics of rigid jobs" (JPDC 63, 2003), with the parameters of their program lublin99.c for jobs of every type.
// Jobs arrive as a Poisson process; their model's daily cycle is left out. That a process gets a VM of four vCPUs and
// 16 GiB is an assumption.

import Model
import Placement
import Simulation

enum BatchJobs {
    private static let shape = Resources(milliCPUs: 4000, memoryBytes: 16 << 30)

    // Sizes: so many jobs are serial, so many have a power of two; the logarithm to base 2 is of two even pieces.
    private static let serialShare = 0.244
    private static let powerOfTwoShare = 0.576
    private static let (sizeLow, sizeMiddle, sizeHigh, sizeLowShare) = (0.8, 4.5, 7.0, 0.86)

    // Running times: the natural logarithm of seconds has one of two gamma distributions; large jobs run longer.
    private static let short = (shape: 4.2, scale: 0.94)
    private static let long = (shape: 312.0, scale: 0.03)
    private static let (shortShareSlope, shortShareAtNone) = (-0.0054, 0.78)
    /// Longer ones are drawn again: e^12 s are 45 hours.
    private static let logSecondsMax = 12.0

    static func makeWorkload(from parameters: SyntheticParameters) -> SyntheticDraft {
        var variates = Variates(seed: parameters.seed)
        var draft = SyntheticDraft()
        let series = draft.workload.utilisation.addSeries(cpu: [1], every: SyntheticUse.interval)
        var job: Int32 = 0
        while draft.workload.requests.count < parameters.vms {
            let arrival = variates.drawFraction() * parameters.duration.seconds
            let size = drawJobSize(using: &variates)
            let departure = arrival + runningTime(ofSize: size, using: &variates)
            job += 1
            for _ in 0..<min(size, parameters.vms - draft.workload.requests.count) {
                var request = VMRequest(
                    arrival: SimTime(seconds: arrival), departure: SimTime(seconds: departure),
                    request: shape)
                (request.series, request.kind) = (series, job)
                draft.addRequest(request)
            }
        }
        return draft
    }

    static func drawJobSize(using variates: inout Variates) -> Int {
        let kind = variates.drawFraction()
        if kind <= serialShare { return 1 }
        let (from, to) =
            variates.drawFraction() <= sizeLowShare ? (sizeLow, sizeMiddle) : (sizeMiddle, sizeHigh)
        var logarithm = from + (to - from) * variates.drawFraction()
        if kind <= serialShare + powerOfTwoShare { logarithm = logarithm.rounded() }
        return Int((PortableMath.exponential(logarithm * 0.6931471805599453)).rounded())
    }

    static func runningTime(ofSize size: Int, using variates: inout Variates) -> Double {
        let shortShare = min(max(shortShareSlope * Double(size) + shortShareAtNone, 0), 1)
        for _ in 0..<1000 {
            let part = variates.drawFraction() <= shortShare ? short : long
            let logarithm = variates.drawGamma(shape: part.shape, scale: part.scale)
            if logarithm <= logSecondsMax { return PortableMath.exponential(logarithm) }
        }
        return PortableMath.exponential(logSecondsMax)
    }
}
