// Small scenarios to compute by hand, and random ones by a seed.

import Model
import Placement
import Simulation

let gibibyte = 1 << 30

func host(
    _ name: String, cores: Int = 4, memory: Int = 16,
    _ change: (inout PlacementHost) -> Void = { _ in }
) -> PlacementHost {
    var host = PlacementHost(
        name: name, capacity: Resources(milliCPUs: cores * 1000, memoryBytes: memory * gibibyte))
    change(&host)
    return host
}

func hosts(_ count: Int, cores: Int = 4, memory: Int = 16) -> [PlacementHost] {
    (0..<count).map { host("h\($0)", cores: cores, memory: memory) }
}

/// A VM from one second to another; nil: until the end.
func request(
    from arrival: Double, to departure: Double? = nil, vcpus: Int = 1, memory: Int = 1,
    _ change: (inout VMRequest) -> Void = { _ in }
) -> VMRequest {
    var request = VMRequest(
        arrival: SimTime(seconds: arrival),
        departure: departure.map { SimTime(seconds: $0) } ?? .never,
        request: Resources(milliCPUs: vcpus * 1000, memoryBytes: memory * gibibyte))
    change(&request)
    return request
}

func workload(_ requests: [VMRequest], seconds: Double) -> Workload {
    var workload = Workload(name: "by hand", end: SimTime(seconds: seconds))
    workload.requests = requests.sorted { $0.arrival < $1.arrival }
    return workload
}

/// 100 W idle, 200 W with all cores busy, a straight line between; 10 W asleep.
let plainCurve = PowerCurve(watts: (0...10).map { 100 + 10 * Double($0) }, asleep: 10)

/// So many seconds at so many watts each.
func kilowattHours(_ parts: (seconds: Double, watts: Double)...) -> Double {
    parts.reduce(0) { $0 + $1.seconds * $1.watts } / 3.6e6
}

func strategy(
    _ placement: any PlacementPolicy = FirstFit(), moves: (any MovePolicy)? = nil
) -> Strategy {
    Strategy("by hand", summary: "for a test", placement: placement, moves: moves)
}

func scenario(
    _ workload: Workload, on hosts: [PlacementHost], _ strategy: Strategy = strategy()
) -> Scenario {
    var scenario = Scenario(
        workload: workload, hosts: hosts, power: [plainCurve], strategy: strategy, seed: 1)
    scenario.assumedBusyShare = 0.5
    scenario.migrationCores = 0
    return scenario
}

/// Moves that are known beforehand, each at its second; hosts that sleep whenever they are empty.
struct Timetable: MovePolicy {
    struct Entry {
        var second: Double
        var vm: VMIndex
        var to: HostIndex
        var wave = 0
    }

    let name = "timetable"
    var interval = Duration.seconds(10)
    var entries: [Entry] = []
    var sleepsWhenEmpty = false
    /// Hosts that are woken at once when they sleep.
    var alwaysAwake: [HostIndex] = []

    mutating func planMoves(in cluster: ClusterState, at now: SimTime) -> MovePlan {
        var plan = MovePlan()
        for entry in entries where entry.second == now.seconds {
            let prediction = MigrationCostModel().predictMigration(
                of: cluster.description(of: entry.vm), linkBytesPerSecond: 1e9)
            plan.moves.append(
                PlannedMove(
                    vm: entry.vm, from: cluster.currentHost(of: entry.vm) ?? 0, to: entry.to,
                    reason: .drains, wave: entry.wave, prediction: prediction))
        }
        return plan
    }

    func hostsToSleep(in cluster: ClusterState) -> [HostIndex] {
        sleepsWhenEmpty ? cluster.allHosts.filter { cluster.hostedVMCount(on: $0) == 0 } : []
    }

    func hostsToWake(in cluster: ClusterState, asleep: [HostIndex]) -> [HostIndex] {
        asleep.filter { alwaysAwake.contains($0) }
    }
}

extension SplitMix64 {
    mutating func number(_ range: ClosedRange<Int>) -> Int {
        range.lowerBound + drawNumber(below: range.count)
    }
}

/// A random small scenario: unlike hosts and VMs, with or without known utilisation, failures and drains.
func randomScenario(seed: UInt64, _ strategy: Strategy) -> Scenario {
    var lots = SplitMix64(seed: seed)
    let seconds = 4 * 3600.0
    var workload = Workload(name: "random \(seed)", end: SimTime(seconds: seconds))
    workload.utilisation = Utilisation(hasMemory: lots.drawNumber(below: 2) == 0)
    let hosts = (0..<lots.number(2...9)).map { number in
        host("h\(number)", cores: lots.number(2...16), memory: lots.number(4...64)) {
            $0.cpuOvercommit = [1, 1, 2][lots.drawNumber(below: 3)]
            $0.memoryOvercommit = lots.drawNumber(below: 4) == 0 ? 1.25 : 1
            $0.link = lots.drawNumber(below: 3) == 0 ? "switch" : ""
        }
    }
    for _ in 0..<lots.number(5...60) {
        let arrival = lots.drawNumber(below: 4) == 0 ? 0 : (lots.drawFraction() * seconds).rounded()
        let lives = lots.drawNumber(below: 3) > 0
        var request = request(
            from: arrival,
            to: lives ? arrival + (lots.drawFraction() * seconds / 2).rounded() : nil,
            vcpus: lots.number(1...6), memory: lots.number(1...12))
        if lots.drawNumber(below: 3) > 0 {
            let samples = (0..<lots.number(1...60)).map { _ in Float(lots.drawFraction()) }
            request.series = workload.utilisation.addSeries(
                cpu: samples, memory: workload.utilisation.hasMemory ? samples : [],
                every: .seconds(300))
        }
        workload.requests.append(request)
    }
    workload.requests.sort { $0.arrival < $1.arrival }
    var scenario = Scenario(
        workload: workload, hosts: hosts,
        power: (0..<hosts.count).map { _ in randomCurve(&lots) }, strategy: strategy, seed: seed)
    scenario.wakeTime = .seconds(lots.drawNumber(below: 300))
    for _ in 0..<lots.drawNumber(below: 4) {
        let host = lots.drawNumber(below: hosts.count)
        let at = SimTime(seconds: (lots.drawFraction() * seconds).rounded())
        let away = Duration.seconds(lots.number(1...3600))
        scenario.events.append(
            lots.drawNumber(below: 2) == 0
                ? .fails(host, at: at, backAfter: away)
                : .drained(host, at: at, maintenance: away))
    }
    return scenario
}

private func randomCurve(_ lots: inout SplitMix64) -> PowerCurve {
    let asleep = 20 * lots.drawFraction()
    var watts = asleep + 100 * lots.drawFraction()
    return PowerCurve(
        watts: (0...10).map { _ in
            watts += 30 * lots.drawFraction()
            return watts
        }, asleep: asleep)
}
