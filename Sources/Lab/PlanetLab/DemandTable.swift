// What every VM asks for at any moment of the day: samples, and a line from one to the next.

import Traces

struct DemandTable {
    private let vms: Int
    /// Shares of a VM's CPU; all VMs at the first sample, then all at the second, ... The last sample stands twice: it
    /// holds to the end of the day.
    private let shares: [Double]
    /// MIPS at full use.
    let mips: [Double]

    init(_ day: PlanetLabDay) {
        let count = day.vmNames.count
        let last = PlanetLabDay.samplesPerVM - 1
        var shares: [Double] = []
        shares.reserveCapacity((last + 2) * count)
        for sample in 0...last + 1 {
            for vm in 0..<count {
                let percent = day.samples[vm * PlanetLabDay.samplesPerVM + min(sample, last)]
                shares.append(Double(percent) / 100)
            }
        }
        vms = count
        self.shares = shares
        mips = (0..<count).map { Hardware.assignedType(ofVM: $0, vmCount: count).mips }
    }

    /// Fills in each VM's share of its CPU and its demand in MIPS. Both are one entry a VM.
    func readDemand(at time: Double, shares use: inout [Double], demands: inout [Double]) {
        let place = time / Clock.round
        let below = Int(place)
        let row = below * vms
        guard Double(below) < place else {
            for vm in 0..<vms {
                use[vm] = shares[row + vm]
                demands[vm] = use[vm] * mips[vm]
            }
            return
        }
        let since = time - Double(below) * Clock.round
        for vm in 0..<vms {
            let first = shares[row + vm]
            let slope = (shares[row + vms + vm] - first) / Clock.round
            use[vm] = first + slope * since
            demands[vm] = use[vm] * mips[vm]
        }
    }
}
