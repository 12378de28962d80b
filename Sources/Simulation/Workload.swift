// What happens to a cluster from outside: VMs that are asked for, what they use, and when they go.
//
// Every trace format is read into this, every generator makes this, and a run does not know which it was. Rows are
// small (a million requests take about 64 MB); what only people need stands beside them.

import Model
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

/// CPU and memory use of VMs over time: rows of samples at equal distances.
package struct Utilisation: Sendable {
    package struct Series: Hashable, Sendable {
        /// Place of its first sample.
        var first: Int
        var count: Int
        package var interval: Duration
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
    package mutating func add(
        cpu samples: [Float], memory memorySamples: [Float] = [], every interval: Duration
    ) -> Int32 {
        precondition(
            memorySamples.count == (hasMemory ? samples.count : 0),
            "one memory sample for each of CPU")
        precondition(interval > .zero, "samples lie apart")
        series.append(Series(first: cpu.count, count: samples.count, interval: interval))
        cpu += samples
        memory += memorySamples
        return Int32(series.count - 1)
    }

    /// The sample in force so long after the VM's arrival; the last one holds on.
    package func cpuShare(_ row: Int32, after age: Duration) -> Double {
        place(row, age).map { Double(cpu[$0]) } ?? 0
    }

    /// Nil when the trace has no memory use.
    package func memoryShare(_ row: Int32, after age: Duration) -> Double? {
        guard hasMemory else { return nil }
        return place(row, age).map { Double(memory[$0]) } ?? 0
    }

    private func place(_ row: Int32, _ age: Duration) -> Int? {
        let series = series[Int(row)]
        guard series.count > 0 else { return nil }
        let step = Int(age.wholeNanoseconds / series.interval.wholeNanoseconds)
        return series.first + min(max(step, 0), series.count - 1)
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

    package func vmName(_ request: Int) -> String {
        names.isEmpty ? "vm-\(request)" : names[request]
    }
}
