// The experiment's hosts and VMs at one moment: who is where, what each asks for, and what hosts give.
//
// Arrays with one entry a host or a VM. Sums are taken in the order of a host's list of VMs, and terms stand in the
// released code's order: figures are compared to the last digit, and a float's last bit decides ties.

import Traces

/// A VM in a host's list. During a migration it is in two.
struct Guest {
    let vm: Int
    /// On its way here; it counts as a VM of the other host until it is.
    var isArriving = false
}

struct Fleet {
    let rules: PlanetLabRules
    let hosts: Int
    let vms: Int
    let table: DemandTable

    // Hosts
    /// MIPS of all cores, and of one.
    let capacity: [Double]
    let core: [Double]
    /// Watts of all kinds of hosts one after the other, and where each host's begin.
    private let curves: [Double]
    private let curveStart: [Int]
    var guests: [[Guest]]
    /// Promised to VMs, arriving ones included.
    var memoryMB: [Int]
    /// Shares of capacity given, at the last accounting and at the one before.
    var utilisation: [Double]
    var utilisationBefore: [Double]
    /// Whether it held VMs, at the same moments.
    var isOn: [Bool]
    var wasOn: [Bool]
    /// Sum of the VMs' demands, MIPS.
    var demandSum: [Double]
    /// What its VMs are given, arriving ones as if they had arrived, MIPS.
    var givenSum: [Double]
    /// MIPS given to nobody.
    var free: [Double]

    // VMs
    let ramMB: [Int]
    var hostOf: [Int]
    var isMigrating: [Bool]
    /// Shares of its own CPU, and MIPS, at the last accounting.
    var use: [Double]
    var demand: [Double]

    var hostLedger: HostLedger
    var vmLedger: VMLedger
    /// What each VM of the host at hand is given: kept to allocate no memory for each host.
    private var given: [Double] = []

    init(_ day: PlanetLabDay, hosts: Int, rules: PlanetLabRules) {
        let vms = day.vmNames.count
        let kinds = (0..<hosts).map { Hardware.hostKinds[Hardware.kindIndex(ofHost: $0)] }
        (self.rules, self.hosts, self.vms) = (rules, hosts, vms)
        table = DemandTable(day)
        capacity = kinds.map(\.capacityMIPS)
        core = kinds.map(\.coreMIPS)
        curves = Hardware.hostKinds.flatMap(\.watts)
        curveStart = (0..<hosts).map { Hardware.kindIndex(ofHost: $0) * 11 }
        guests = Array(repeating: [], count: hosts)
        memoryMB = Array(repeating: 0, count: hosts)
        (isOn, wasOn) = (
            Array(repeating: false, count: hosts), Array(repeating: false, count: hosts)
        )
        let zeros = Array(repeating: 0.0, count: hosts)
        (utilisation, utilisationBefore, demandSum, givenSum) = (zeros, zeros, zeros, zeros)
        free = capacity
        ramMB = (0..<vms).map { Hardware.assignedType(ofVM: $0, vmCount: vms).ramMB }
        hostOf = Array(repeating: -1, count: vms)
        isMigrating = Array(repeating: false, count: vms)
        (use, demand) = (Array(repeating: 0.0, count: vms), Array(repeating: 0.0, count: vms))
        hostLedger = HostLedger(hosts: hosts)
        vmLedger = VMLedger(vms: vms)
    }

    /// Off as the rules see it: the experiment takes a host whose VMs are all idle for one that is off.
    func isPoweredOff(host: Int) -> Bool {
        rules.billsIdleHosts ? !isOn[host] : utilisation[host] == 0
    }

    /// Without VMs, now and at the last accountings: its entries in the ledger would say the same again.
    func isUnoccupied(host: Int) -> Bool {
        guests[host].isEmpty && !isOn[host] && !wasOn[host] && utilisation[host] == 0
            && utilisationBefore[host] == 0
    }

    /// Watts of a host at a share of its capacity. The same terms in the same order as the released code's, so that they
    /// round as its did. Above 1 that code stops the experiment; here it is full power.
    func wattsDrawn(ofHost host: Int, atShare share: Double) -> Double {
        let share = min(share, 1)
        let tenths = share * 10
        let below = Int(tenths)
        let first = curveStart[host] + below
        guard Double(below) < tenths else { return curves[first] }
        let step = (curves[first + 1] - curves[first]) / 10
        return curves[first] + step * (share - Double(below) / 10) * 100
    }

    /// What a host draws with the VMs that planning has on it; nothing when it has none.
    func plannedWatts(ofHost host: Int) -> Double {
        guests[host].isEmpty
            ? 0 : wattsDrawn(ofHost: host, atShare: givenSum[host] / capacity[host])
    }
}

// How a host's CPU is shared out.
extension Fleet {
    /// MIPS that a VM takes of its host's: no more than a core has.
    private func requestedMIPS(of guest: Guest, onHost host: Int) -> Double {
        let most = min(demand[guest.vm], core[host])
        return guest.isArriving ? most * rules.migration.shareOnTarget : most
    }

    /// Fills `given`, one entry for each VM of the host, and what is left free.
    private mutating func shareOutCPU(ofHost host: Int) {
        given.removeAll(keepingCapacity: true)
        var left = capacity[host]
        for guest in guests[host] {
            let draw = requestedMIPS(of: guest, onHost: host)
            guard left >= draw else { return shareOutScarceCPU(ofHost: host) }
            left -= draw
            let most = min(demand[guest.vm], core[host])
            given.append(most * scarceShare(for: guest))
        }
        free[host] = left
    }

    /// Not enough for all: each gets the same part of its draw, rounded down to a whole MIPS.
    private mutating func shareOutScarceCPU(ofHost host: Int) {
        given.removeAll(keepingCapacity: true)
        let wanted = guests[host].reduce(0.0) { $0 + requestedMIPS(of: $1, onHost: host) }
        let factor = capacity[host] / wanted
        for guest in guests[host] {
            let most = min(demand[guest.vm], core[host])
            let part =
                guest.isArriving
                ? most * scarceShare(for: guest) * factor : most * factor * scarceShare(for: guest)
            given.append(part.rounded(.down))
        }
        free[host] = 0
    }

    /// The part of its draw that a VM really gets here.
    private func scarceShare(for guest: Guest) -> Double {
        guest.isArriving
            ? rules.migration.shareOnTarget
            : isMigrating[guest.vm] ? rules.migration.shareOnSource : 1
    }

    /// Shares the host's CPU out anew and enters it in the ledgers.
    mutating func refreshHost(index host: Int, at time: Double) {
        utilisationBefore[host] = utilisation[host]
        wasOn[host] = isOn[host]
        isOn[host] = !guests[host].isEmpty
        shareOutCPU(ofHost: host)
        var (used, asked) = (0.0, 0.0)
        for (place, guest) in guests[host].enumerated() {
            let given = given[place]
            if guest.isArriving {
                used += given
                if rules.countsArrivalsAsViolation { asked += demand[guest.vm] }
                continue
            }
            let isLeaving = isMigrating[guest.vm]
            vmLedger.recordEntry(
                vm: guest.vm, at: time, given: given, asked: demand[guest.vm], isLeaving: isLeaving)
            used += isLeaving ? given / rules.migration.shareOnSource : given
            asked += demand[guest.vm]
        }
        utilisation[host] = Self.cappedShare(used: used, capacity: capacity[host])
        sumUpGuests(ofHost: host)
        hostLedger.recordEntry(
            host: host, at: time, given: used, asked: asked,
            isActive: rules.billsIdleHosts ? isOn[host] : used > 0)
    }

    /// A little above 1 is 1: it comes of adding up floats.
    private static func cappedShare(used: Double, capacity: Double) -> Double {
        let share = used / capacity
        return share > 1 && share < 1.01 ? 1 : share
    }

    /// Sums that planning goes by, after the host's list has changed.
    mutating func recomputeSums(ofHost host: Int) {
        shareOutCPU(ofHost: host)
        sumUpGuests(ofHost: host)
    }

    private mutating func sumUpGuests(ofHost host: Int) {
        var (demands, gifts) = (0.0, 0.0)
        for (place, guest) in guests[host].enumerated() {
            demands += demand[guest.vm]
            if guest.isArriving {
                gifts += rules.migration.missingOnTarget(
                    given: given[place], demand: demand[guest.vm])
            }
            gifts += given[place]
        }
        demandSum[host] = demands
        givenSum[host] = gifts
    }
}

extension PlanetLabRules.Migration {
    /// Of the CPU that a migrating VM asks for: what it gets on the source, and what it takes on the target.
    var shareOnSource: Double { self == .ramOverHalfLink ? 0.9 : 1 }
    var shareOnTarget: Double { self == .ramOverHalfLink ? 0.1 : 0 }

    /// What an arriving VM will take beyond what it is given now.
    func missingOnTarget(given: Double, demand: Double) -> Double {
        self == .ramOverHalfLink ? given * 0.9 / 0.1 : demand
    }
}
