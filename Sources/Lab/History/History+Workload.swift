// A recorded history as a workload: the same VMs, asked for when they were placed, using what they were measured to use.
//
// A stay is a request. VMs that stood on hosts when the history began stand there when the run begins; all else the
// run's policy decides.

import Model
package import Placement
package import Simulation

extension History {
    /// Made anew each time.
    package var workload: Workload {
        var workload = Workload(name: name, end: SimTime(milliseconds: max(end, 1)))
        workload.hosts = placementHosts
        workload.groups = groups.map { AffinityGroup($0) }
        workload.utilisation = Utilisation(hasMemory: true)
        var tables = WorkloadTables(self)
        let interval = readingInterval
        var staysOfVM = [Int](repeating: 0, count: vms.count)
        for stay in stays {
            staysOfVM[stay.vm] += 1
            let number = staysOfVM[stay.vm]
            let name = vms[stay.vm].name.text
            workload.names.append(number == 1 ? name : "\(name)~\(number)")
            workload.requests.append(
                makeVMRequest(
                    for: stay, every: interval, tables: &tables, utilisation: &workload.utilisation)
            )
        }
        workload.groupSets = tables.groupSets
        workload.demands = tables.demands
        workload.notes = measuredNotes + notes + waitingNotes + changeNotes
        return workload
    }

    private func makeVMRequest(
        for stay: Stay, every interval: Duration, tables: inout WorkloadTables,
        utilisation: inout Utilisation
    ) -> VMRequest {
        let vm = vms[stay.vm]
        var request = VMRequest(
            arrival: SimTime(milliseconds: stay.begin),
            departure: stay.end.map { SimTime(milliseconds: max($0, stay.begin + 1)) } ?? .never,
            request: Resources(milliCPUs: vm.vcpus * 1000, memoryBytes: Int(vm.memoryBytes)))
        request.priority = Int16(clamping: vm.priority)
        request.groupSet = tables.groupSetIndex(of: vm)
        request.demand = tables.demandIndex(of: vm)
        if stay.begin == 0, let host = stay.host { request.initialHost = Int32(host) }
        let course = LoadSeries(readings[stay.vm], from: stay.begin, to: stay.end ?? end)
        if let samples = course.utilisationSamples(every: interval, of: vm) {
            request.series = utilisation.addSeries(
                cpu: samples.cpu, memory: samples.memory, every: interval)
            request.dirtyBytesPerSecond = course.meanDirtyRate.map { Float($0) } ?? -1
        }
        return request
    }

    /// Distance of a workload's samples: that of the recorder's readings, doubled until they are few enough.
    package var readingInterval: Duration {
        var interval = max(Int64(header.everySeconds * 1000), 100)
        func sampleCount() -> Int64 {
            stays.reduce(0) { $0 + (max(0, ($1.end ?? end) - $1.begin)) / interval + 1 }
        }
        while sampleCount() > Limits.samplesMax + stays.count { interval *= 2 }
        return .milliseconds(interval)
    }

    /// Hosts as the scheduler sees them, with the load that was not their VMs' as a mean over the history.
    package var placementHosts: [PlacementHost] {
        let own = ownUse
        return hosts.indices.map { host in
            var described = PlacementHost(hosts[host])
            described.ownUse = own[host]
            return described
        }
    }

    /// What migrations took in the cluster itself, beside what a run models.
    private var measuredNotes: [String] {
        guard !moves.isEmpty else { return [] }
        let done = moves.map(\.move).filter { $0.outcome == .done }
        let bytes = done.reduce(0) { $0 + Double($1.bytes ?? 0) }
        let seconds = done.reduce(0) { $0 + ($1.seconds ?? 0) }
        var text =
            "measured in the cluster: \(done.count) migrations done, \(moves.count - done.count) failed, \(bytesText(for: Int(min(bytes, 0x1p60)))) in \(Self.decimalText(value: seconds)) s"
        let downtimes = done.compactMap(\.downtimeMs).sorted()
        if let least = downtimes.first, let most = downtimes.last {
            let median = downtimes[(downtimes.count - 1) / 2]
            text +=
                ", downtimes of \(Self.decimalText(value: least)) to \(Self.decimalText(value: most)) ms, \(Self.decimalText(value: median)) ms at the median"
        }
        return [text]
    }

    private static func decimalText(value: Double) -> String {
        thousandthsText(for: Int((min(value, 1e12) * 1000).rounded()))
    }

    private var waitingNotes: [String] {
        let refused = stays.reduce(0) { $0 + ($1.host == nil ? 1 : 0) }
        let missing = Set(stays.map(\.vm)).filter { vm in
            vms[vm].pinnedHost.map { pin in !hosts.contains { $0.name == pin } } ?? false
        }
        var notes: [String] = []
        if refused > 0 { notes.append("for \(refused) VMs no host was ever found") }
        if !missing.isEmpty {
            notes.append(
                "\(missing.count) VMs are pinned to hosts that the history does not describe; their pins are left out"
            )
        }
        return notes
    }

    private var changeNotes: [String] {
        let silent = hosts.indices.filter {
            absencePeriods(ofHost: $0).contains { $0.why == .silent }
        }
        return silent.map {
            "host \(hosts[$0].name) was silent for a time and kept its VMs: a run has it there all the time"
        }
    }
}

/// Sets of groups and of demands, each kept once.
private struct WorkloadTables {
    private let groupIndices: [String: Int32]
    private let hostNames: Set<HostName>
    private(set) var groupSets: [[Int32]] = [[]]
    private(set) var demands = [VMDemand()]
    private var groupSetIDs: [[Int32]: Int32] = [[]: 0]
    private var demandIDs: [VMDemand: Int32] = [VMDemand(): 0]

    init(_ history: History) {
        groupIndices = Dictionary(
            uniqueKeysWithValues: history.groups.enumerated().map { ($1.name, Int32($0)) })
        hostNames = Set(history.hosts.map(\.name))
    }

    mutating func groupSetIndex(of vm: RecordedVM) -> Int32 {
        let set = Set(vm.groups.compactMap { groupIndices[$0] }).sorted()
        if let known = groupSetIDs[set] { return known }
        let id = Int32(groupSets.count)
        groupSets.append(set)
        groupSetIDs[set] = id
        return id
    }

    mutating func demandIndex(of vm: RecordedVM) -> Int32 {
        var demand = VMDemand()
        demand.labels = Set(vm.labels)
        demand.pinnedHost = vm.pinnedHost.flatMap { hostNames.contains($0) ? $0.text : nil }
        demand.mayBeBalanced = vm.mayBeBalanced
        demand.downtimeLimit = DowntimeLimit(milliseconds: vm.downtimeLimitMs)
        if let known = demandIDs[demand] { return known }
        let id = Int32(demands.count)
        demands.append(demand)
        demandIDs[demand] = id
        return id
    }
}
