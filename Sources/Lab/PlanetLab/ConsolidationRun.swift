// A run: rounds, accountings and the ends of migrations in the order of time.

import Model
import Placement
import Traces

struct ConsolidationRun {
    /// A VM on its way.
    private struct Flight {
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
    private var flights: [Flight] = []

    private(set) var joules = 0.0
    private(set) var migrations = 0
    private(set) var vmsDeleted = 0
    private(set) var bytesMigrated = 0.0
    private(set) var downtime = Downtime()
    private(set) var hostsInUse: [Int] = []
    private var migrationsEnded = 0

    init(
        _ day: PlanetLabDay, _ policy: PlanetLabPolicy, hosts: Int, rules: PlanetLabRules
    ) throws(PlanetLabError) {
        kind = policy.kind
        self.rules = rules
        fleet = Fleet(day, hosts: hosts, rules: rules)
        history = LoadHistory(vms: fleet.vms)
        if let vm = fleet.placeAll(policy.kind) {
            throw .noRoom(vm: day.vmNames[vm], hosts: hosts)
        }
    }

    var hostLedger: HostLedger { fleet.hostLedger }
    var vmLedger: VMLedger { fleet.vmLedger }

    mutating func run(progress: (Double) -> Void) {
        var time = Clock.start
        for round in 1...Clock.rounds {
            time += Clock.round
            endFlights(until: time)
            account(at: time)
            hostsInUse.append(fleet.guests.count { !$0.isEmpty })
            history.add(fleet.use)
            if case .consolidation(let detection) = kind { consolidate(detection, at: time) }
            progress(Double(round) / Double(Clock.rounds))
        }
        endFlights(until: Clock.end)
        fleet.hostLedger.finish()
        fleet.vmLedger.finish()
        if migrationsEnded > 0 {
            downtime.meanMilliseconds = downtime.totalSeconds * 1000 / Double(migrationsEnded)
        }
    }

    private mutating func consolidate(_ detection: PlanetLabPolicy.Detection, at time: Double) {
        var planner = RoundPlanner(fleet, history, detection)
        planner.plan()
        let moves = planner.moves
        for host in 0..<fleet.hosts { fleet.putArrivingFirst(host) }
        start(moves, at: time)
    }
}

// Accounting
extension ConsolidationRun {
    /// Brings demands and hosts up to this moment, adds up energy since the last one, and deletes idle VMs.
    private mutating func account(at time: Double) {
        fleet.table.read(at: time, shares: &fleet.use, demands: &fleet.demand)
        let isFirst = lastAccounting == 0
        for host in 0..<fleet.hosts where isFirst || !fleet.isUnused(host) {
            fleet.update(host, at: time)
        }
        let seconds = time - lastAccounting
        if seconds > 0 { joules += energy(seconds) }
        if rules.deletesIdleVMs { vmsDeleted += fleet.deleteIdleVMs() }
        lastAccounting = time
    }

    private func energy(_ seconds: Double) -> Double {
        var sum = 0.0
        for host in 0..<fleet.hosts {
            if kind == .nonPowerAware {
                sum += fleet.watts(host, at: 1) * seconds
                continue
            }
            let drewPower =
                rules.billsIdleHosts ? fleet.wasOn[host] : fleet.utilisationBefore[host] != 0
            guard drewPower else { continue }
            let before = fleet.watts(host, at: fleet.utilisationBefore[host])
            let now = fleet.watts(host, at: fleet.utilisation[host])
            sum += (before + (now - before) / 2) * seconds
        }
        return sum
    }
}

// Migrations
extension ConsolidationRun {
    private mutating func start(_ moves: [PlannedMove], at time: Double) {
        let crowd = crowd(moves)
        for move in moves {
            let (seconds, pause) = cost(move, crowd)
            migrations += 1
            flights.append(
                Flight(end: time + seconds, vm: move.vm, target: move.target, pause: pause))
            fleet.isMigrating[move.vm] = true
            fleet.guests[move.target].append(Guest(vm: move.vm, isArriving: true))
            fleet.memoryMB[move.target] += fleet.ramMB[move.vm]
            fleet.update(move.target, at: time)
            fleet.update(fleet.hostOf[move.vm], at: time)
        }
        let order = flights.indices.sorted {
            (flights[$0].end, $0) < (flights[$1].end, $1)
        }
        flights = order.map { flights[$0] }
    }

    /// By host: migrations that use its link, with those that begin now.
    private func crowd(_ moves: [PlannedMove]) -> [Int] {
        var crowd = Array(repeating: 0, count: fleet.hosts)
        let underWay = flights.map { ($0.vm, $0.target) }
        for (vm, target) in underWay + moves.map({ ($0.vm, $0.target) }) {
            crowd[fleet.hostOf[vm]] += 1
            crowd[target] += 1
        }
        return crowd
    }

    private mutating func cost(
        _ move: PlannedMove, _ crowd: [Int]
    ) -> (seconds: Double, pause: Double) {
        let ram = fleet.ramMB[move.vm]
        guard case .engine(let model) = rules.migration else {
            return (Double(ram) / Hardware.migrationMBPerSecond, 0)
        }
        let sharing = max(crowd[move.target], crowd[fleet.hostOf[move.vm]])
        let vm = PlacementVM(
            id: VMID(high: 0, low: UInt64(move.vm)), name: "",
            request: Resources(milliCPUs: 1000, memoryBytes: ram * 1_000_000))
        let prediction = model.predict(
            vm, linkBytesPerSecond: Hardware.linkBytesPerSecond / Double(sharing))
        bytesMigrated += Double(prediction.bytes.expected)
        return (prediction.duration.expected.seconds, prediction.downtime.expected.seconds)
    }

    private mutating func endFlights(until time: Double) {
        var next = 0
        while next < flights.count, flights[next].end <= time {
            let now = flights[next].end
            if now > lastAccounting { account(at: now) }
            while next < flights.count, flights[next].end == now {
                end(flights[next])
                next += 1
            }
            account(at: now)
        }
        flights.removeFirst(next)
    }

    private mutating func end(_ flight: Flight) {
        fleet.arrive(flight.vm, at: flight.target)
        migrationsEnded += 1
        guard flight.pause > 0 else { return }
        fleet.vmLedger.pause(flight.vm, seconds: flight.pause, asked: fleet.demand[flight.vm])
        downtime.totalSeconds += flight.pause
        downtime.maxMilliseconds = max(downtime.maxMilliseconds, flight.pause * 1000)
    }
}
