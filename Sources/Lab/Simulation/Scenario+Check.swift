// What a run must be told before it can begin: everything is checked here, so that nothing traps on the way.

import Model
package import Placement

extension Scenario {
    /// The hosts of a run: the workload's own, else the scenario's.
    package var runHosts: [PlacementHost] { workload.hosts.isEmpty ? hosts : workload.hosts }

    /// The workload's end; where it has none, the last arrival or departure.
    package var end: SimTime {
        if workload.end != .never { return workload.end }
        return workload.requests.reduce(.start) { last, request in
            max(last, request.arrival, request.departure == .never ? .start : request.departure)
        }
    }

    func validate() throws(SimulationError) {
        try checkHosts()
        try checkPower()
        try checkRequests()
        try checkEvents()
        try checkTimes()
    }

    private func checkHosts() throws(SimulationError) {
        if runHosts.isEmpty { throw .noHosts }
        for host in runHosts where host.capacity.milliCPUs <= 0 {
            throw .badScenario("host \(host.name) has no processors")
        }
    }

    private func checkPower() throws(SimulationError) {
        guard power.count == 1 || power.count == runHosts.count else {
            throw .badScenario(
                "\(power.count) power curves for \(runHosts.count) hosts: give one, or one for each"
            )
        }
        for curve in power {
            let watts = curve.watts + [curve.asleep]
            guard watts.allSatisfy({ $0 >= 0 && $0 <= 1e6 }),
                watts.allSatisfy({ $0 >= curve.asleep })
            else {
                throw .badScenario(
                    "a power curve needs watts from 0 to 1,000,000, least while asleep")
            }
        }
    }

    private func checkRequests() throws(SimulationError) {
        let requests = workload.requests
        if requests.isEmpty { throw .noRequests(workload: workload.name) }
        guard requests.count <= Limits.requestsMax else {
            throw .badScenario("\(requests.count) requests are more than \(Limits.requestsMax)")
        }
        guard workload.names.isEmpty || workload.names.count == requests.count else {
            throw .badScenario("\(workload.names.count) names for \(requests.count) requests")
        }
        var last = SimTime.start
        for (number, request) in requests.enumerated() {
            guard request.arrival >= last else {
                throw .badScenario(
                    "request \(number) of \(workload.name) arrives before the one before it, or before the start"
                )
            }
            last = request.arrival
            guard request.milliCPUs >= 0, request.memoryBytes >= 0,
                request.series < workload.utilisation.series.count,
                workload.groupSets.indices.contains(Int(request.groupSet)),
                workload.demands.indices.contains(Int(request.demand)),
                request.initialHost < runHosts.count
            else {
                throw .badScenario(
                    "request \(number) of \(workload.name) refers to a row that is not there, or asks for less than nothing"
                )
            }
        }
        for set in workload.groupSets {
            guard set.allSatisfy({ workload.groups.indices.contains(Int($0)) }) else {
                throw .badScenario(
                    "a group set of \(workload.name) names a group that is not there")
            }
        }
    }

    private func checkEvents() throws(SimulationError) {
        for event in events {
            let (host, time, away) =
                switch event {
                case .fails(let host, let time, let back): (host, time, back)
                case .drained(let host, let time, let maintenance): (host, time, maintenance)
                }
            guard runHosts.indices.contains(host) else {
                throw .badScenario("there is no host \(host) to fail or to be drained")
            }
            guard time >= .start, away >= .zero else {
                throw .badScenario(
                    "host \(runHosts[host].name) fails or is drained before the start")
            }
        }
    }

    private func checkTimes() throws(SimulationError) {
        guard samplingInterval > .zero, wakeTime >= .zero, courseSamplesMax > 0, heatRowsMax > 0
        else { throw .badScenario("intervals and numbers of samples must be above zero") }
        guard courseSamplesMax <= Limits.courseSamplesMax, heatRowsMax <= Limits.heatRowsMax else {
            throw .badScenario(
                "at most \(Limits.courseSamplesMax) samples and \(Limits.heatRowsMax) rows are kept"
            )
        }
        guard migrationCores >= 0, migrationCores <= 1e6, (0...1 << 40) ~= migrationOverheadBytes,
            assumedBusyShare >= 0, assumedBusyShare <= 1
        else {
            throw .badScenario("what a migration takes, or the assumed busy share, makes no sense")
        }
        try checkTickCount(for: "readings of utilisation", interval: samplingInterval)
        if let moves = strategy.moves {
            try checkTickCount(for: "rounds of \(moves.name)", interval: moves.interval)
        }
    }

    private func checkTickCount(for what: String, interval: Duration) throws(SimulationError) {
        guard interval > .zero else { throw .badScenario("\(what) need time between them") }
        let ticks = end.nanoseconds / max(1, interval.wholeNanoseconds)
        guard ticks <= Limits.ticksMax else {
            throw .badScenario("\(ticks) \(what) are too many: take a longer interval")
        }
    }
}
