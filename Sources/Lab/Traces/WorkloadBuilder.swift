// Requests as a trace lists them become a workload: in order of arrival, with groups and kinds as numbers.

import Model
import Placement
import Simulation

struct WorkloadBuilder {
    private(set) var workload: Workload
    private let file: String
    private var isSorted = true
    private var kinds: [String: Int32] = [:]
    private var groupIndices: [String: Int32] = [:]
    private var sets: [[Int32]: Int32] = [[]: 0]
    private var demands: [VMDemand: Int32] = [VMDemand(): 0]
    private var hostIndices: [String: Int32] = [:]
    private var samples = 0

    /// - Parameter file: for errors that are about all of it.
    init(format: TraceFormat, source: TraceSource) {
        workload = Workload(name: "\(format.rawValue) \(source.name)", end: .start)
        file = source.path
    }

    var count: Int { workload.requests.count }

    /// - Parameter name: given for all requests or for none.
    mutating func addRequest(_ request: VMRequest, name: String? = nil) throws(TraceError) {
        guard workload.requests.count < Limits.rowsMax else {
            throw .tooLarge(file: file, limit: Limits.rowsMax, of: "VMs")
        }
        if let last = workload.requests.last, request.arrival < last.arrival { isSorted = false }
        workload.requests.append(request)
        if let name { workload.names.append(name) }
    }

    /// Sets when VMs leave, by row and arrival; nil: never. Rows are in the order in which they were added.
    mutating func setDepartures(using departure: (Int, SimTime) -> SimTime?) {
        for row in workload.requests.indices {
            let arrival = workload.requests[row].arrival
            workload.requests[row].departure = departure(row, arrival) ?? .never
        }
    }

    mutating func appendHost(_ host: PlacementHost) throws(TraceError) {
        guard workload.hosts.count < Limits.hostsMax else {
            throw .tooLarge(file: file, limit: Limits.hostsMax, of: "hosts")
        }
        hostIndices[host.name] = Int32(workload.hosts.count)
        workload.hosts.append(host)
    }

    /// Its place among the hosts that were added.
    func hostIndex(named name: String) -> Int32? { hostIndices[name] }

    mutating func appendNote(_ sentence: String) { workload.notes.append(sentence) }

    /// Equal texts have equal numbers, from 1; no text is 0.
    mutating func kindIndex(named text: String) -> Int32 {
        guard !text.isEmpty else { return 0 }
        if let known = kinds[text] { return known }
        let number = Int32(kinds.count + 1)
        kinds[text] = number
        return number
    }

    /// The row of a group; nil when one of the same name is of another kind.
    mutating func groupIndex(of group: AffinityGroup) throws(TraceError) -> Int32? {
        if let known = groupIndices[group.name] {
            return workload.groups[Int(known)] == group ? known : nil
        }
        guard workload.groups.count < Limits.groupsMax else {
            throw .tooLarge(file: file, limit: Limits.groupsMax, of: "groups")
        }
        let index = Int32(workload.groups.count)
        groupIndices[group.name] = index
        workload.groups.append(group)
        return index
    }

    /// The row of a set of groups.
    mutating func groupSetIndex(of groups: [Int32]) -> Int32 {
        if let known = sets[groups] { return known }
        let index = Int32(workload.groupSets.count)
        sets[groups] = index
        workload.groupSets.append(groups)
        return index
    }

    /// The row of what a VM demands beside its size and its groups.
    mutating func demandIndex(of demand: VMDemand) -> Int32 {
        if let known = demands[demand] { return known }
        let index = Int32(workload.demands.count)
        demands[demand] = index
        workload.demands.append(demand)
        return index
    }

    mutating func addSeries(
        cpu: [Float], memory: [Float] = [], every interval: Duration
    ) throws(TraceError) -> Int32 {
        samples += cpu.count
        guard samples <= Limits.samplesMax else {
            throw .tooLarge(file: file, limit: Limits.samplesMax, of: "samples")
        }
        return workload.utilisation.addSeries(cpu: cpu, memory: memory, every: interval)
    }

    /// Memory use is known as well; before the first series.
    mutating func expectMemoryUse() { workload.utilisation = Utilisation(hasMemory: true) }

    /// - Parameter end: nil: when the last VM that leaves has left.
    mutating func finishWorkload(end: SimTime? = nil) throws(TraceError) -> Workload {
        guard !workload.requests.isEmpty else {
            throw .malformed(TracePlace(file), expected: "at least one VM", found: "")
        }
        if !isSorted { sortRequests() }
        workload.end = end ?? lastChange()
        return workload
    }

    private func lastChange() -> SimTime {
        workload.requests.reduce(SimTime.start) { latest, request in
            max(latest, request.departure == .never ? request.arrival : request.departure)
        }
    }

    /// Stable: equal arrivals stay in the order of the trace.
    private mutating func sortRequests() {
        let requests = workload.requests
        let order = requests.indices.sorted {
            (requests[$0].arrival, $0) < (requests[$1].arrival, $1)
        }
        let late = requests.indices.dropFirst().count {
            requests[$0].arrival < requests[$0 - 1].arrival
        }
        workload.requests = order.map { requests[$0] }
        if !workload.names.isEmpty {
            let names = workload.names
            workload.names = order.map { names[$0] }
        }
        appendNote("Behind a later arrival and put in order: \(late) of \(count) VMs.")
    }
}
