// One decision round: which VMs leave overloaded hosts, which hosts are emptied, and where the VMs go.
//
// It works on a copy of the fleet, moves VMs on it as it decides, and hands back the list of moves; the copy is dropped.

struct PlannedMove {
    let vm: Int
    let target: Int
}

struct RoundPlanner {
    private var fleet: Fleet
    private let history: LoadHistory
    private let test: OverloadTest
    /// By host: loads of the VMs that it holds, newest first. Empty when the test needs none.
    private var hostLoads: [Double] = []
    private var loads = Array(repeating: 0.0, count: OverloadTest.pointsMax)
    /// May not receive VMs any more.
    private var isClosed: [Bool]
    /// Watts of each host as of the last accounting, an idle one's where it is off.
    private var wattsNow: [Double]
    private(set) var moves: [PlannedMove] = []

    init(fleet: Fleet, history: LoadHistory, detection: PlanetLabPolicy.Detection) {
        self.fleet = fleet
        self.history = history
        test = OverloadTest(detection: detection)
        isClosed = Array(repeating: false, count: fleet.hosts)
        wattsNow = (0..<fleet.hosts).map {
            fleet.wattsDrawn(ofHost: $0, atShare: fleet.utilisation[$0])
        }
        guard test.needsHistory else { return }
        hostLoads = Array(repeating: 0, count: fleet.hosts * OverloadTest.pointsMax)
        for host in 0..<fleet.hosts where !fleet.guests[host].isEmpty {
            sumLoadHistory(ofHost: host)
        }
    }

    mutating func planRound() {
        var overloaded: [Int] = []
        for host in 0..<fleet.hosts where isOverloaded(host: host) { overloaded.append(host) }
        for host in overloaded { isClosed[host] = true }
        var removed: [Int] = []
        for host in overloaded { relieveHost(index: host, removed: &removed) }
        for vm in sortedByDemand(vms: removed) {
            guard let target = targetHost(for: vm) else { continue }
            appendGuest(vm: vm, toHost: target)
            moves.append(PlannedMove(vm: vm, target: target))
        }
        emptyUnderloadedHosts(except: overloaded)
    }

    /// Takes the VM that migrates fastest, the one of least memory, until the host is not overloaded.
    private mutating func relieveHost(index host: Int, removed: inout [Int]) {
        repeat {
            var place: Int?
            for (index, guest) in fleet.guests[host].enumerated()
            where !fleet.isMigrating[guest.vm] {
                let ram = fleet.ramMB[guest.vm]
                if let best = place, fleet.ramMB[fleet.guests[host][best].vm] <= ram { continue }
                place = index
            }
            guard let place else { return }
            removed.append(fleet.guests[host][place].vm)
            removeGuest(at: place, fromHost: host)
        } while isOverloaded(host: host)
    }

    /// The least utilised host first: all its VMs find room elsewhere, or none moves.
    private mutating func emptyUnderloadedHosts(except overloaded: [Int]) {
        // A host that is off stays off, and one that has just got VMs is not emptied again.
        var mayBeEmptied = Array(repeating: true, count: fleet.hosts)
        for host in overloaded { mayBeEmptied[host] = false }
        if !fleet.rules.mayMigrateTwiceAtOnce {
            for move in moves { mayBeEmptied[move.target] = false }
        }
        var candidates: [Int] = []
        for host in 0..<fleet.hosts {
            if fleet.isPoweredOff(host: host) {
                isClosed[host] = true
            } else if mayBeEmptied[host], fleet.utilisation[host] < 1 {
                candidates.append(host)
            }
        }
        candidates.sort { (fleet.utilisation[$0], $0) < (fleet.utilisation[$1], $1) }
        for host in candidates where mayBeEmptied[host] && mayBeLeft(host: host) {
            isClosed[host] = true
            for move in movesEmptying(host: host) {
                mayBeEmptied[move.target] = false
                moves.append(move)
            }
        }
    }

    /// False when an arriving VM stands in the list before any that is not migrating, or when all migrate.
    private func mayBeLeft(host: Int) -> Bool {
        for guest in fleet.guests[host] {
            if !fleet.isMigrating[guest.vm] { return true }
            if guest.isArriving { return false }
        }
        return false
    }

    private mutating func movesEmptying(host: Int) -> [PlannedMove] {
        let leaving = fleet.guests[host].map(\.vm).filter { !fleet.isMigrating[$0] }
        var made: [PlannedMove] = []
        for vm in sortedByDemand(vms: leaving) {
            guard let target = targetHost(for: vm) else {
                for move in made { revertMove(move) }
                return []
            }
            appendGuest(vm: vm, toHost: target)
            made.append(PlannedMove(vm: vm, target: target))
        }
        return made
    }

    /// Largest demand first; equal ones as they stood.
    private func sortedByDemand(vms: [Int]) -> [Int] {
        vms.enumerated().sorted { left, right in
            let (a, b) = (fleet.demand[left.element], fleet.demand[right.element])
            return a == b ? left.offset < right.offset : a > b
        }.map(\.element)
    }
}

// The fleet as it would be.
extension RoundPlanner {
    private mutating func appendGuest(vm: Int, toHost host: Int) {
        fleet.guests[host].append(Guest(vm: vm))
        fleet.memoryMB[host] += fleet.ramMB[vm]
        recomputeSums(ofHost: host)
    }

    private mutating func removeGuest(at place: Int, fromHost host: Int) {
        let guest = fleet.guests[host].remove(at: place)
        fleet.memoryMB[host] -= fleet.ramMB[guest.vm]
        recomputeSums(ofHost: host)
    }

    private mutating func revertMove(_ move: PlannedMove) {
        let guests = fleet.guests[move.target]
        guard let place = guests.lastIndex(where: { $0.vm == move.vm }) else { return }
        removeGuest(at: place, fromHost: move.target)
    }

    private mutating func recomputeSums(ofHost host: Int) {
        fleet.recomputeSums(ofHost: host)
        if test.needsHistory { sumLoadHistory(ofHost: host) }
    }

    private mutating func sumLoadHistory(ofHost host: Int) {
        let first = host * OverloadTest.pointsMax
        for point in 0..<OverloadTest.pointsMax {
            var sum = 0.0
            for guest in fleet.guests[host] {
                sum += relativeLoad(ofVM: guest.vm, atPoint: point, onHost: host)
            }
            hostLoads[first + point] = sum
        }
    }

    /// A VM's use so many rounds ago as a share of the host's CPU.
    private func relativeLoad(ofVM vm: Int, atPoint point: Int, onHost host: Int) -> Double {
        history.recordedUse(ofVM: vm, roundsAgo: point) * fleet.table.mips[vm]
            / fleet.capacity[host]
    }
}

// Which host takes a VM.
extension RoundPlanner {
    private mutating func isOverloaded(host: Int) -> Bool {
        guard !fleet.guests[host].isEmpty else { return false }
        if test.needsHistory {
            for point in 0..<OverloadTest.pointsMax {
                loads[point] = hostLoads[host * OverloadTest.pointsMax + point]
            }
        }
        return test.isOverloaded(
            demand: fleet.demandSum[host] / fleet.capacity[host], loads: &loads)
    }

    private mutating func isOverloaded(host: Int, withVM vm: Int) -> Bool {
        if test.needsHistory {
            for point in 0..<OverloadTest.pointsMax {
                loads[point] =
                    hostLoads[host * OverloadTest.pointsMax + point]
                    + relativeLoad(ofVM: vm, atPoint: point, onHost: host)
            }
        }
        return test.isOverloaded(
            demand: (fleet.demandSum[host] + fleet.demand[vm]) / fleet.capacity[host],
            loads: &loads)
    }

    /// The open host with room whose power grows least; the first of equals.
    private mutating func targetHost(for vm: Int) -> Int? {
        let asked = fleet.demand[vm]
        var best: (host: Int, cost: Double)?
        var seen = Array(repeating: false, count: Hardware.hostKinds.count)
        for host in 0..<fleet.hosts where !isClosed[host] {
            if fleet.isUnoccupied(host: host) {
                // All unused hosts of a kind cost the same, and the first of equals wins.
                let kind = Hardware.kindIndex(ofHost: host)
                if seen[kind] { continue }
                seen[kind] = true
            }
            guard fleet.core[host] >= asked, fleet.free[host] >= asked,
                !fleet.rules.enforcesMemory
                    || fleet.memoryMB[host] + fleet.ramMB[vm] <= Hardware.hostMemoryMB
            else { continue }
            let share = (fleet.givenSum[host] + asked) / fleet.capacity[host]
            let before =
                fleet.rules.chargesIdlePowerOfTargets
                ? fleet.plannedWatts(ofHost: host) : wattsNow[host]
            let cost = fleet.wattsDrawn(ofHost: host, atShare: share) - before
            // Cheap before dear: the test for overload is made only of a host that would be chosen.
            guard cost < best?.cost ?? .greatestFiniteMagnitude else { continue }
            if fleet.givenSum[host] != 0, isOverloaded(host: host, withVM: vm) { continue }
            best = (host, cost)
        }
        return best?.host
    }
}
