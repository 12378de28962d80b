// CPU use over time in generated workloads: a level of its own for each VM, and noise around it in the logarithm that
// forgets as a first-order autoregressive process does.
//
// The published figures of PlanetLab's 3 March 2011 (Beloglazov and Buyya, Concurrency and Computation 24, 2012, table 2)
// are 1,052 VMs, mean 12.31 %, standard deviation 17.09 %, quartiles 2, 6 and 15 %. A normal distribution of the
// logarithm fits them; the same day gives its parts: 1.38 of the variance lies between VMs and 0.66 within one, and a
// reading has a correlation of 0.07 with the one five minutes before.

import Model
import Simulation

struct SyntheticUse {
    static let interval = Duration.seconds(300)
    private static let logMedian = 1.637 - 4.605170185988092  // ln 5.14 %
    private static let deviationBetween = 1.173
    private static let deviationWithin = 0.814
    private static let correlation = 0.07

    /// Shares of one core's worth that a fleet uses by night and by day: servers mostly run between 10 and 50 % (Barroso
    /// and Hölzle, "The case for energy-proportional computing", IEEE Computer 40, 2007).
    private static let night = 0.1
    private static let day = 0.5
    /// The day's peak, as a part of it; the run begins at midnight.
    private static let peak = 14.0 / 24

    /// Rows that all VMs share in turn when there are too many VMs for one each; see `Limits.syntheticSamplesMax`.
    static func sharedRowCount(vms: Int, over duration: Duration) -> Int {
        max(1, min(vms, Limits.syntheticSamplesMax / sampleCount(over: duration)))
    }

    static func sampleCount(over duration: Duration) -> Int {
        let steps = duration.wholeNanoseconds / interval.wholeNanoseconds + 1
        return Int(min(steps, Int64(Limits.syntheticSamplesMax)))
    }

    /// Rows like PlanetLab's; row i is for VM i, i + rows, and so on.
    static func addLikePlanetLab(
        to workload: inout Workload, rows: Int, samples: Int, using variates: inout Variates
    ) {
        for _ in 0..<rows {
            let level = logMedian + deviationBetween * variates.drawNormal()
            addSeries(to: &workload, samples: samples, using: &variates) { _, noise in
                PortableMath.exponential(level + deviationWithin * noise)
            }
        }
    }

    /// Rows that swing with the day, all together. The noise leaves the mean as it is.
    static func addDiurnal(
        to workload: inout Workload, rows: Int, samples: Int, using variates: inout Variates
    ) {
        let correction = deviationWithin * deviationWithin / 2
        let swing = (0..<samples).map { step in
            let days = Double(step) * interval.seconds / 86_400
            let wave = PortableMath.cosine(turns: days - peak)
            return (night + day) / 2 + (day - night) / 2 * wave
        }
        for _ in 0..<rows {
            addSeries(to: &workload, samples: samples, using: &variates) { step, noise in
                swing[step] * PortableMath.exponential(deviationWithin * noise - correction)
            }
        }
    }

    private static func addSeries(
        to workload: inout Workload, samples: Int, using variates: inout Variates,
        share: (Int, Double) -> Double
    ) {
        var noise = variates.drawNormal()
        let fresh = (1 - correlation * correlation).squareRoot()
        var cpu: [Float] = []
        cpu.reserveCapacity(samples)
        for step in 0..<samples {
            cpu.append(Float(min(1, share(step, noise))))
            noise = correlation * noise + fresh * variates.drawNormal()
        }
        _ = workload.utilisation.addSeries(cpu: cpu, every: interval)
    }
}
