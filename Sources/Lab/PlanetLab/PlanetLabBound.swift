// The least energy that any policy could need for a day's demand.

import Placement
import Simulation
package import Traces

package enum PlanetLabBound {
    /// Every MIPS at the best watts per MIPS there are, a full G5's 135 W / 5320 MIPS, and no host idle: a linear
    /// programme's bound, which nothing that serves the whole demand can go below. Demand is taken at the decision
    /// rounds and runs in a line between them, from the first round to the last, as energy is accounted.
    ///
    /// - Parameter keepsIdleVMs: false: a VM that is without demand at a round asks for nothing any more.
    package static func lowerBoundKWh(for day: PlanetLabDay, keepsIdleVMs: Bool) -> Double {
        demandMIPSSeconds(of: day, keepsIdleVMs: keepsIdleVMs) * bestWattsPerMIPS / 3.6e6
    }

    /// Where memory is enforced, VMs stay, and a host that holds VMs draws power: as many hosts are on as the VMs' memory
    /// needs at least, the ones of least idle power, and each MIPS costs at least the least growth from idle.
    package static func lowerBoundKWhWithMemory(for day: PlanetLabDay, hosts: Int) -> Double {
        let idleWatts = (0..<hosts).map {
            Hardware.hostKinds[Hardware.kindIndex(ofHost: $0)].watts[0]
        }
        let seconds = Double(Clock.rounds - 1) * Clock.round
        let needed = hostsByMemory(vms: day.vmNames.count, hosts: hosts)
        let idle = idleWatts.sorted().prefix(needed).reduce(0, +) * seconds
        let computing = demandMIPSSeconds(of: day, keepsIdleVMs: true) * leastWattsPerMoreMIPS
        return (idle + computing) / 3.6e6
    }

    /// The least number of hosts that the VMs' memory needs: by volume, or because VMs of their sizes leave gaps.
    package static func hostsByMemory(vms: Int, hosts: Int) -> Int {
        let requests = (0..<vms).map { vm in
            VMRequest(
                arrival: .start, departure: .never,
                request: Resources(
                    milliCPUs: 0, memoryBytes: Hardware.assignedType(ofVM: vm, vmCount: vms).ramMB))
        }
        let limit = Resources(milliCPUs: 1, memoryBytes: Hardware.hostMemoryMB)
        var floor = HostFloor(
            limits: Array(repeating: limit, count: hosts), requests: requests)
        for request in requests { floor.addRequest(request.request) }
        return floor.hosts
    }

    /// Of all points of all curves: what lies between the points is a mean of them.
    private static let leastWattsPerMoreMIPS =
        Hardware.hostKinds.map(leastWattsPerMoreMIPS).min() ?? 0

    private static func leastWattsPerMoreMIPS(of kind: HostKind) -> Double {
        let slopes = (1...10).map { tenth -> Double in
            (kind.watts[tenth] - kind.watts[0]) / (kind.capacityMIPS * Double(tenth) / 10)
        }
        return slopes.min() ?? 0
    }

    private static let bestWattsPerMIPS =
        Hardware.hostKinds.map { $0.watts[10] / $0.capacityMIPS }.min() ?? 0

    private static func demandMIPSSeconds(of day: PlanetLabDay, keepsIdleVMs: Bool) -> Double {
        let table = DemandTable(day)
        let vms = day.vmNames.count
        var (use, demand) = (Array(repeating: 0.0, count: vms), Array(repeating: 0.0, count: vms))
        var isDeleted = Array(repeating: false, count: vms)
        var (sum, before) = (0.0, 0.0)
        var time = Clock.start
        for round in 1...Clock.rounds {
            time += Clock.round
            table.readDemand(at: time, shares: &use, demands: &demand)
            var now = 0.0
            for vm in 0..<vms where !isDeleted[vm] {
                now += demand[vm]
                isDeleted[vm] = !keepsIdleVMs && demand[vm] == 0
            }
            if round > 1 { sum += (before + now) / 2 * Clock.round }
            before = now
        }
        return sum
    }
}
