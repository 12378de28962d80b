// Days that need no trace.

import Model
import Traces

enum MadeUpDays {
    /// Each VM's percent, the same all day.
    static func constant(_ percents: [UInt8]) -> PlanetLabDay {
        PlanetLabDay(
            name: "constant", vmNames: percents.indices.map { "vm-\($0)" },
            samples: percents.flatMap {
                Array(repeating: $0, count: PlanetLabDay.samplesPerVM)
            })
    }

    /// Loads that wander, with spells of idleness.
    static func random(seed: UInt64, vms: Int) -> PlanetLabDay {
        var lots = SplitMix64(seed: seed)
        var samples: [UInt8] = []
        for _ in 0..<vms {
            var percent = lots.drawNumber(below: 60)
            let idleness = lots.drawNumber(below: 4)
            for _ in 0..<PlanetLabDay.samplesPerVM {
                percent = min(100, max(0, percent + lots.drawNumber(below: 21) - 10))
                samples.append(lots.drawNumber(below: 10) < idleness ? 0 : UInt8(percent))
            }
        }
        return PlanetLabDay(
            name: "random-\(seed)", vmNames: (0..<vms).map { "vm-\($0)" }, samples: samples)
    }
}
