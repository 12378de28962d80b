// A run: rounds, accountings and the ends of migrations in the order of time.

import Model
import Placement
import Traces

struct ConsolidationRun {
    /// A VM on its way.
    private struct OngoingMigration {
        var end: Double
        var vm: Int
        var target: Int
        var pause: Double
    }

    private let kind: PlanetLabPolicy.Kind
    private let rules: PlanetLabRules
    private var fleet: Fleet
    private var history: LoadHistory
    private var lastAccounting = 0.0
    /// By end; of equal ends the one that began first.
    private var ongoingMigrations: [OngoingMigration] = []

    private(set) var joules = 0.0
    private(set) var migrations = 0
    private(set) var vmsDeleted = 0
    private(set) var bytesMigrated = 0.0
    private(set) var downtime = Downtime()
    private(set) var hostsInUse: [Int] = []
    private var migrationsEnded = 0

    init(
        day: PlanetLabDay, policy: PlanetLabPolicy, hosts: Int, rules: PlanetLabRules
    ) throws(PlanetLabError) {
        kind = policy.kind
        self.rules = rules
        fleet = Fleet(day, hosts: hosts, rules: rules)
        history = LoadHistory(vms: fleet.vms)
        if let vm = fleet.placeAllVMs(policy: policy.kind) {
            throw .noRoom(vm: day.vmNames[vm], hosts: hosts)
        }
    }

    var hostLedger: HostLedger { fleet.hostLedger }
    var vmLedger: VMLedger { fleet.vmLedger }

    mutating func simulateDay(progress: (Double) -> Void) {
        var time = Clock.start
        for round in 1...Clock.rounds {
            time += Clock.round
            endMigrations(until: time)
            accountHosts(at: time)
            hostsInUse.append(fleet.guests.count { !$0.isEmpty })
            history.appendRound(use: fleet.use)
            if case .consolidation(let detection) = kind {
                consolidateHosts(using: detection, at: time)
            }
            progress(Double(round) / Double(Clock.rounds))
        }
        endMigrations(until: Clock.end)
        fleet.hostLedger.finishRecords()
        fleet.vmLedger.finishRecords()
        if migrationsEnded > 0 {
            downtime.meanMilliseconds = downtime.totalSeconds * 1000 / Double(migrationsEnded)
        }
    }

    private mutating func consolidateHosts(
        using detection: PlanetLabPolicy.Detection, at time: Double
    ) {
        var planner = RoundPlanner(fleet: fleet, history: history, detection: detection)
        planner.planRound()
        let moves = planner.moves
        for host in 0..<fleet.hosts { fleet.orderArrivingFirst(onHost: host) }
        startMigrations(for: moves, at: time)
    }
}

// Accounting
extension ConsolidationRun {
    /// Brings demands and hosts up to this moment, adds up energy since the last one, and deletes idle VMs.
    private mutating func accountHosts(at time: Double) {
        fleet.table.readDemand(at: time, shares: &fleet.use, demands: &fleet.demand)
        let isFirst = lastAccounting == 0
        for host in 0..<fleet.hosts where isFirst || !fleet.isUnoccupied(host: host) {
            fleet.refreshHost(index: host, at: time)
        }
        let seconds = time - lastAccounting
        if seconds > 0 { joules += consumedEnergy(over: seconds) }
        if rules.deletesIdleVMs { vmsDeleted += fleet.deleteIdleVMs() }
        lastAccounting = time
    }

    private func consumedEnergy(over seconds: Double) -> Double {
        var sum = 0.0
        for host in 0..<fleet.hosts {
            if kind == .nonPowerAware {
                sum += fleet.wattsDrawn(ofHost: host, atShare: 1) * seconds
                continue
            }
            let drewPower =
                rules.billsIdleHosts ? fleet.wasOn[host] : fleet.utilisationBefore[host] != 0
            guard drewPower else { continue }
            let before = fleet.wattsDrawn(ofHost: host, atShare: fleet.utilisationBefore[host])
            let now = fleet.wattsDrawn(ofHost: host, atShare: fleet.utilisation[host])
            sum += (before + (now - before) / 2) * seconds
        }
        return sum
    }
}

// Migrations
extension ConsolidationRun {
    private mutating func startMigrations(for moves: [PlannedMove], at time: Double) {
        let crowd = migrationsPerHost(after: moves)
        for move in moves {
            let (seconds, pause) = migrationCost(of: move, migrationsPerHost: crowd)
            migrations += 1
            ongoingMigrations.append(
                OngoingMigration(
                    end: time + seconds, vm: move.vm, target: move.target, pause: pause))
            fleet.isMigrating[move.vm] = true
            fleet.guests[move.target].append(Guest(vm: move.vm, isArriving: true))
            fleet.memoryMB[move.target] += fleet.ramMB[move.vm]
            fleet.refreshHost(index: move.target, at: time)
            fleet.refreshHost(index: fleet.hostOf[move.vm], at: time)
        }
        let order = ongoingMigrations.indices.sorted {
            (ongoingMigrations[$0].end, $0) < (ongoingMigrations[$1].end, $1)
        }
        ongoingMigrations = order.map { ongoingMigrations[$0] }
    }

    /// By host: migrations that use its link, with those that begin now.
    private func migrationsPerHost(after moves: [PlannedMove]) -> [Int] {
        var crowd = Array(repeating: 0, count: fleet.hosts)
        let underWay = ongoingMigrations.map { ($0.vm, $0.target) }
        for (vm, target) in underWay + moves.map({ ($0.vm, $0.target) }) {
            crowd[fleet.hostOf[vm]] += 1
            crowd[target] += 1
        }
        return crowd
    }

    private mutating func migrationCost(
        of move: PlannedMove, migrationsPerHost crowd: [Int]
    ) -> (seconds: Double, pause: Double) {
        let ram = fleet.ramMB[move.vm]
        guard case .engine(let model) = rules.migration else {
            return (Double(ram) / Hardware.migrationMBPerSecond, 0)
        }
        let sharing = max(crowd[move.target], crowd[fleet.hostOf[move.vm]])
        let vm = PlacementVM(
            id: VMID(high: 0, low: UInt64(move.vm)), name: "",
            request: Resources(milliCPUs: 1000, memoryBytes: ram * 1_000_000))
        let prediction = model.predictMigration(
            of: vm, linkBytesPerSecond: Hardware.linkBytesPerSecond / Double(sharing))
        bytesMigrated += Double(prediction.bytes.expected)
        return (prediction.duration.expected.seconds, prediction.downtime.expected.seconds)
    }

    private mutating func endMigrations(until time: Double) {
        var next = 0
        while next < ongoingMigrations.count, ongoingMigrations[next].end <= time {
            let now = ongoingMigrations[next].end
            if now > lastAccounting { accountHosts(at: now) }
            while next < ongoingMigrations.count, ongoingMigrations[next].end == now {
                endMigration(of: ongoingMigrations[next])
                next += 1
            }
            accountHosts(at: now)
        }
        ongoingMigrations.removeFirst(next)
    }

    private mutating func endMigration(of flight: OngoingMigration) {
        fleet.completeMigration(ofVM: flight.vm, to: flight.target)
        migrationsEnded += 1
        guard flight.pause > 0 else { return }
        fleet.vmLedger.recordPause(
            ofVM: flight.vm, seconds: flight.pause, asked: fleet.demand[flight.vm])
        downtime.totalSeconds += flight.pause
        downtime.maxMilliseconds = max(downtime.maxMilliseconds, flight.pause * 1000)
    }
}
