// VMs come, are placed or refused, and go.

import Model
import Placement

extension Run {
    mutating func beginRequest(number request: Int) throws(SimulationError) {
        counts.requests += 1
        var vm = scenario.workload.placementVM(forRequest: request)
        vm.use = measuredUse(ofRequest: request, at: now)
        let row: VMIndex
        do { row = try cluster.registerVM(vm) } catch { throw .badRequest(vm.name, error) }
        registerRow(row, request: request)
        notifyObserver(of: .arrived(reportedRequest(number: request)), vm: row)
        placeOrRefuse(row: row, request: request)
        if requests[request].departure <= requests[request].arrival { endRequest(number: request) }
    }

    private mutating func registerRow(_ row: VMIndex, request: Int) {
        while requestOfVM.count <= row {
            requestOfVM.append(-1)
            downtimeOfVM.append(0)
            useChanges.append(.max)
        }
        useChanges[row] = nextUseChange(ofRequest: request)
        requestOfVM[row] = Int32(request)
        downtimeOfVM[row] = 0
        vmOfRequest[request] = Int32(row)
    }

    /// What an observer sees of a request: its departure only if it may.
    private func reportedRequest(number request: Int) -> VMRequest {
        var told = requests[request]
        if observer?.knowsDepartures != true { told.departure = .never }
        return told
    }

    private mutating func notifyObserver(of event: VMEvent, vm row: VMIndex) {
        let moment = moment
        observer?.observeEvent(event, of: row, in: &cluster, at: moment)
    }

    /// Gives a VM a host, of those with power if any takes it. A VM that no host takes is refused, once and for all.
    mutating func placeOrRefuse(row: VMIndex, request: Int) {
        if let host = initialHost(for: row, request: request) ?? cluster.chooseHost(
            for: row, using: policy)
            ?? hostToWake(for: row)
        {
            cluster.assignVM(row, to: host)
            floor.addRequest(requests[request].request)
            counts.placed += 1
            if !Resources.none.isContained(in: cluster.freeResources(on: host)) {
                keepsLimits = false
            }
            refreshMeter(of: host)
        } else {
            refuseVM(row: row, request: request)
        }
    }

    /// Where the workload says that it stands when the run begins.
    private mutating func initialHost(for row: VMIndex, request: Int) -> HostIndex? {
        let host = Int(requests[request].initialHost)
        guard host >= 0, requests[request].arrival == moment else { return nil }
        if cluster.refusalReason(of: row, on: host, for: .start) == nil { return host }
        unkeptPlaces += 1
        return nil
    }

    private mutating func refuseVM(row: VMIndex, request: Int) {
        if counts.refused == 0 {
            let shares = reservedShares()
            counts.cpuShareAtFirstRefusal = shares.cpu
            counts.memoryShareAtFirstRefusal = shares.memory
        }
        counts.refused += 1
        notifyObserver(of: .refused, vm: row)
        recordDowntime(of: row)
        releaseRow(row, request: request)
        cluster.unregisterVM(row)
    }

    /// Of all that hosts may promise.
    private func reservedShares() -> (cpu: Double, memory: Double) {
        var (used, limit) = (Resources.none, Resources.none)
        for host in cluster.allHosts {
            used = used + cluster.usedResources(on: host)
            limit = limit + cluster.resourceLimit(of: host)
        }
        return (
            Double(used.milliCPUs) / Double(max(1, limit.milliCPUs)),
            Double(used.memoryBytes) / Double(max(1, limit.memoryBytes))
        )
    }

    mutating func endRequest(number request: Int) {
        let row = Int(vmOfRequest[request])
        guard row >= 0, let host = cluster.currentHost(of: row) else { return }
        counts.departed += 1
        notifyObserver(of: .departed, vm: row)
        let ended = moves.activeMove(of: row)
        if let ended { abandonMigration(at: ended) }
        recordDowntime(of: row)
        releaseRow(row, request: request)
        cluster.unregisterVM(row)
        floor.removeRequest(requests[request].request)
        refreshMeter(of: host)
        if !drains.isEmpty { endDrainIfEmpty(host: host) }
        if ended != nil { startMoves() }
    }

    private mutating func releaseRow(_ row: VMIndex, request: Int) {
        requestOfVM[row] = -1
        vmOfRequest[request] = -1
    }

    /// The VM goes, or the run ends: its standstills are added up.
    mutating func recordDowntime(of row: VMIndex) {
        guard downtimeOfVM[row] > 0 else { return }
        downtimesOfVMs.addObservation(value: Double(downtimeOfVM[row]))
        downtimeOfVM[row] = 0
    }
}

// MARK: - Utilisation

extension Run {
    /// What a VM uses at a moment; nil: nothing is known of it.
    func measuredUse(ofRequest request: Int, at time: Int64) -> MeasuredUse? {
        let row = requests[request]
        guard row.series >= 0 else { return nil }
        let sample = scenario.workload.utilisation.usageSample(
            inRow: row.series, afterNanoseconds: time - row.arrival.nanoseconds)
        return MeasuredUse(
            cores: Double(row.milliCPUs) / 1000 * sample.cpu,
            memoryBytes: Double(row.memoryBytes) * (sample.memory ?? 1))
    }

    /// When a VM's use is another than now.
    private func nextUseChange(ofRequest request: Int) -> Int64 {
        let row = requests[request]
        guard row.series >= 0 else { return .max }
        let arrival = row.arrival.nanoseconds
        let age = scenario.workload.utilisation.nextChange(
            inRow: row.series, afterNanoseconds: now - arrival)
        return age == .max ? .max : arrival + age
    }

    /// Reads every VM's utilisation, then adds to the course of the run when that is due.
    mutating func recordSample() throws(SimulationError) {
        if sampling.readsUtilisation { try readUtilisation() }
        if sampling.isCourseDue { recordCourseSample() }
        sampling.count += 1
        queue.scheduleEvent(.sample, at: sampling.nextSample(after: now))
    }

    private mutating func readUtilisation() throws(SimulationError) {
        useBatch.removeAll(keepingCapacity: true)
        for row in useChanges.indices where useChanges[row] <= now && requestOfVM[row] >= 0 {
            let request = Int(requestOfVM[row])
            if let use = measuredUse(ofRequest: request, at: now) { useBatch.append((row, use)) }
            useChanges[row] = nextUseChange(ofRequest: request)
        }
        if useBatch.isEmpty { return }
        do { try cluster.setMeasuredUses(useBatch) } catch {
            throw .badRequest("of \(scenario.workload.name)", error)
        }
        for host in cluster.allHosts where cluster.hostedVMCount(on: host) > 0 {
            refreshMeter(of: host)
        }
    }
}

/// When utilisation is read, and when the course of a run is.
struct Sampling {
    /// Whether any VM's utilisation is known at all.
    let readsUtilisation: Bool
    let interval: Int64
    /// Readings for one sample of the course.
    let perCourseSample: Int
    let courseSamplesMax: Int
    var count = 0

    init(_ scenario: Scenario, end: Int64) {
        readsUtilisation = !scenario.workload.utilisation.isEmpty
        courseSamplesMax = scenario.courseSamplesMax
        let reading = max(1, scenario.samplingInterval.wholeNanoseconds)
        let readings = end / reading + 1
        let perSample =
            (readings + Int64(scenario.courseSamplesMax) - 1) / Int64(scenario.courseSamplesMax)
        interval = readsUtilisation ? reading : reading * perSample
        perCourseSample = readsUtilisation ? Int(perSample) : 1
    }

    var isCourseDue: Bool { count % perCourseSample == 0 }
    var courseInterval: Int64 { interval * Int64(perCourseSample) }

    func nextSample(after time: Int64) -> Int64 {
        let (next, overflow) = time.addingReportingOverflow(interval)
        return overflow ? .max : next
    }
}
