// What happens to a cluster from outside: VMs that are asked for, what they use, and when they go.
//
// Every trace format is read into this, every generator makes this, and a run does not know which it was. Rows are
// small (a million requests take about 64 MB); what only people need stands beside them.

package import Model
package import Placement

/// A VM that is asked for once.
package struct VMRequest: Hashable, Sendable {
    package var arrival: SimTime
    /// `never`: it is still there when the trace ends.
    package var departure: SimTime
    package var milliCPUs: Int32
    package var memoryBytes: Int64
    /// Row in `Workload.utilisation`; -1: nothing is known, a share of what it asked for is assumed.
    package var series: Int32 = -1
    /// Row in `Workload.groupSets`; 0: no groups.
    package var groupSet: Int32 = 0
    /// What a predictor of lifetimes may go by: the trace's tenant, batch or flavour. 0: not known.
    package var kind: Int32 = 0
    /// Larger is more important.
    package var priority: Int16 = 0
    /// The host that it stands on when the run begins, without a decision of any policy: a place among the run's hosts.
    /// -1: none. Its arrival is the start then.
    package var initialHost: Int32 = -1
    /// Row in `Workload.demands`; 0: none.
    package var demand: Int32 = 0
    /// Bytes of memory that it writes in a second, on average; below 0: not known.
    package var dirtyBytesPerSecond: Float = -1

    package init(arrival: SimTime, departure: SimTime, request: Resources) {
        self.arrival = arrival
        self.departure = departure
        milliCPUs = Int32(clamping: request.milliCPUs)
        memoryBytes = Int64(request.memoryBytes)
    }

    package var request: Resources {
        Resources(milliCPUs: Int(milliCPUs), memoryBytes: Int(memoryBytes))
    }
}

/// What a VM demands beside its size and its groups; many VMs share one.
package struct VMDemand: Hashable, Sendable {
    /// Labels that its host must have.
    package var labels: Set<String> = []
    /// The only host that it may run on.
    package var pinnedHost: String?
    package var mayBeBalanced = true
    /// The longest pause that a migration may cause.
    package var downtimeLimit = DowntimeLimit.usual

    package init() {}
}

/// CPU and memory use of VMs over time: rows of samples at equal distances.
package struct Utilisation: Sendable {
    package struct Series: Hashable, Sendable {
        /// Place of its first sample.
        var first: Int
        var count: Int
        package let interval: Duration
        /// Nanoseconds.
        let step: Int64
    }

    /// Shares of the CPU that the VM asked for: 0 idle, 1 all of it.
    private var cpu: [Float] = []
    /// Shares of the memory that the VM asked for; empty when the trace has none.
    private var memory: [Float] = []
    package private(set) var series: [Series] = []
    package private(set) var hasMemory: Bool

    package init(hasMemory: Bool = false) { self.hasMemory = hasMemory }

    package var isEmpty: Bool { series.isEmpty }

    /// Adds a VM's samples, the first at its arrival. `memory` has as many as `cpu`, or is empty when the trace has none.
    ///
    /// - Returns: the row.
    package mutating func addSeries(
        cpu samples: [Float], memory memorySamples: [Float] = [], every interval: Duration
    ) -> Int32 {
        precondition(
            memorySamples.count == (hasMemory ? samples.count : 0),
            "one memory sample for each of CPU")
        precondition(interval > .zero, "samples lie apart")
        series.append(
            Series(
                first: cpu.count, count: samples.count, interval: interval,
                step: max(1, interval.wholeNanoseconds)))
        cpu += samples
        memory += memorySamples
        return Int32(series.count - 1)
    }

    /// The sample in force so long after the VM's arrival; the last one holds on.
    package func sampledCPUShare(inRow row: Int32, after age: Duration) -> Double {
        usageSample(inRow: row, afterNanoseconds: age.wholeNanoseconds).cpu
    }

    /// Nil when the trace has no memory use.
    package func sampledMemoryShare(inRow row: Int32, after age: Duration) -> Double? {
        usageSample(inRow: row, afterNanoseconds: age.wholeNanoseconds).memory
    }

    /// Both at once, for those who ask for very many. What is no number from 0 to `shareMax` counts as the nearer of the
    /// two, or as 0.
    func usageSample(inRow row: Int32, afterNanoseconds nanoseconds: Int64) -> (
        cpu: Double, memory: Double?
    ) {
        let series = series[Int(row)]
        guard series.count > 0 else { return (0, hasMemory ? 0 : nil) }
        let step = Int(nanoseconds / series.step)
        let place = series.first + min(max(step, 0), series.count - 1)
        return (
            Self.clampedShare(sample: cpu[place]),
            hasMemory ? Self.clampedShare(sample: memory[place]) : nil
        )
    }

    /// How long after the VM's arrival the sample in force gives way to another; the end of time when it is the last.
    func nextChange(inRow row: Int32, afterNanoseconds nanoseconds: Int64) -> Int64 {
        let series = series[Int(row)]
        let step = nanoseconds / series.step
        guard step < Int64(series.count - 1) else { return .max }
        return (step + 1) * series.step
    }

    private static let shareMax: Float = 1024

    private static func clampedShare(sample: Float) -> Double {
        sample > 0 ? Double(min(sample, shareMax)) : 0
    }
}

package struct Workload: Sendable {
    package var name: String
    /// Ascending by arrival; equal ones in the order of the trace.
    package var requests: [VMRequest] = []
    /// Names of requests, as the trace has them; empty: "vm-0" and so on.
    package var names: [String] = []
    package var utilisation = Utilisation()
    package var groups: [AffinityGroup] = []
    /// Places in `groups`, together; the first set is empty.
    package var groupSets: [[Int32]] = [[]]
    /// The first is that of VMs that demand nothing.
    package var demands = [VMDemand()]
    /// Hosts that the trace itself describes; empty: the run says which there are.
    package var hosts: [PlacementHost] = []
    /// When the trace ends; no later than this a run ends.
    package var end: SimTime
    /// What the reader assumed or left out, one sentence each: it stands in every report.
    package var notes: [String] = []

    package init(name: String, end: SimTime) {
        self.name = name
        self.end = end
    }

    package func displayName(ofRequest request: Int) -> String {
        names.isEmpty ? "vm-\(request)" : names[request]
    }

    /// A request's identity in a run.
    package static func identifier(ofRequest request: Int) -> VMID {
        VMID(high: 0, low: UInt64(request))
    }

    /// A request as the scheduler sees it, before anything is measured.
    package func placementVM(forRequest request: Int) -> PlacementVM {
        let row = requests[request]
        let demand = demands[Int(row.demand)]
        var vm = PlacementVM(
            id: Self.identifier(ofRequest: request), name: displayName(ofRequest: request),
            request: row.request)
        vm.groups = groupSets[Int(row.groupSet)].map { groups[Int($0)].name }
        vm.priority = Int(row.priority)
        vm.labels = demand.labels
        vm.pinnedHost = demand.pinnedHost
        vm.mayBeBalanced = demand.mayBeBalanced
        vm.downtimeLimit = demand.downtimeLimit
        if row.dirtyBytesPerSecond >= 0 {
            vm.dirtyBytesPerSecond = Double(row.dirtyBytesPerSecond)
        }
        return vm
    }
}
