// The experiment's hosts and VMs (Beloglazov and Buyya 2012, section 6.1; the released example's constants).

import Traces

struct VMType {
    /// Millions of instructions a second of its one vCPU, when it uses all of it.
    var mips: Double
    var ramMB: Int
}

struct HostKind {
    var coreMIPS: Double
    /// At 0, 10, ..., 100 % of CPU.
    var watts: [Double]

    var capacityMIPS: Double { coreMIPS * 2 }
}

enum Hardware {
    /// EC2's types of the time, with memory for one core: dealt out to VMs in four runs of equal length.
    static let vmTypes = [
        VMType(mips: 2500, ramMB: 870), VMType(mips: 2000, ramMB: 1740),
        VMType(mips: 1000, ramMB: 1740), VMType(mips: 500, ramMB: 613),
    ]

    /// Taken in turn: HP ProLiant ML110 G4 and G5, two cores each; watts as SPECpower_ssj2008 measured them.
    static let hostKinds = [
        HostKind(
            coreMIPS: 1860, watts: [86, 89.4, 92.6, 96, 99.5, 102, 106, 108, 112, 114, 117]),
        HostKind(
            coreMIPS: 2660, watts: [93.7, 97, 101, 105, 110, 116, 121, 125, 129, 133, 135]),
    ]

    static let hostMemoryMB = 4096
    /// VMs that a host's bandwidth is promised to at the start: 1 Gbit/s, 100 Mbit/s each.
    static let vmsByBandwidth = 10
    static let linkBytesPerSecond = 125e6
    /// Half of the link is for the VMs' own traffic.
    static let migrationMBPerSecond = 62.5

    /// Its place in `hostKinds`.
    static func kindIndex(ofHost host: Int) -> Int { host % hostKinds.count }

    static func assignedType(ofVM vm: Int, vmCount count: Int) -> VMType {
        let run = (count + vmTypes.count - 1) / vmTypes.count
        return vmTypes[vm / run]
    }
}

/// The experiment's clock, in seconds.
enum Clock {
    /// VMs are there at 0, their workloads start at this moment, and decision rounds count from it.
    static let start = 0.1
    static let round = Double(PlanetLabDay.secondsPerSample)
    static let rounds = PlanetLabDay.samplesPerVM - 1
    static let end = 86_400.0
}
