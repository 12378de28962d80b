// Requests of Azure's 2017 trace (Cortez et al., SOSP 2017) as prepared for models of whole workloads: lifetimes are known
// to a step of 300 s when short and between bounds when long.
//
//   id,batch,arrival_s,cores,memory_gib,lifetime_s_min,lifetime_s_max,censored
//
// A VM leaves halfway between its bounds, but no later than the trace's end if it was seen to leave; one that was still
// there at the end (censored) stays. The trace ends when the last VM was seen.

import Model
import Placement
import Simulation

enum AzureRequests {
    static let columns = ["batch", "arrival_s", "lifetime_s_min", "lifetime_s_max", "censored"]

    /// Times of the trace are multiples of this; a lifetime of 0 is one within a step.
    private static let stepSeconds = 300.0

    private struct Lifetime {
        var min: Double
        var max: Double
        var isCensored: Bool
    }

    static func readWorkload(from source: TraceSource) throws(TraceError) -> Workload {
        var builder = WorkloadBuilder(format: .azureV1, source: source)
        var table = try source.openTable()
        let columns = try Columns(table)
        var lifetimes: [Lifetime] = []
        var ids: Set<Int> = []
        while try table.readNextRow() {
            let id = try table.wholeNumber(in: columns.id, range: 0...Int.max)
            guard ids.insert(id).inserted else {
                throw table.malformedField(in: columns.id, expected: "an id that no other row has")
            }
            try builder.addRequest(columns.vmRequest(from: table), name: "\(id)")
            lifetimes.append(try columns.readLifetime(from: table))
        }
        return try finishWorkload(from: &builder, lifetimes: lifetimes)
    }

    private struct Columns {
        let id, batch, arrival, cores, memory, min, max, censored: Column

        init(_ table: CSVTable) throws(TraceError) {
            id = try table.requireColumn(named: "id")
            batch = try table.requireColumn(named: "batch")
            arrival = try table.requireColumn(named: "arrival_s")
            cores = try table.requireColumn(named: "cores")
            memory = try table.requireColumn(named: "memory_gib")
            min = try table.requireColumn(named: "lifetime_s_min")
            max = try table.requireColumn(named: "lifetime_s_max")
            censored = try table.requireColumn(named: "censored")
        }

        /// Without its departure, which the trace's end has a part in.
        func vmRequest(from table: CSVTable) throws(TraceError) -> VMRequest {
            var request = VMRequest(
                arrival: try table.simulationTime(in: arrival), departure: .never,
                request: Resources(
                    milliCPUs: try table.milliCPUs(in: cores),
                    memoryBytes: try table.memoryBytes(in: memory, bytesPerUnit: 1 << 30)))
            request.kind =
                Int32(try table.wholeNumber(in: batch, range: 0...Int(Int32.max) - 1)) + 1
            return request
        }

        func readLifetime(from table: CSVTable) throws(TraceError) -> Lifetime {
            let least = try table.decimalNumber(
                in: min, range: 0...Limits.secondsMax, meaning: "seconds")
            return Lifetime(
                min: least,
                max: try table.decimalNumber(
                    in: max, range: least...Limits.secondsMax,
                    meaning: "seconds, lifetime_s_min or more:"),
                isCensored: try table.wholeNumber(in: censored, range: 0...1, meaning: "0 or 1:")
                    == 1)
        }
    }

    private static func finishWorkload(
        from builder: inout WorkloadBuilder, lifetimes: [Lifetime]
    ) throws(TraceError) -> Workload {
        let seen = zip(builder.workload.requests, lifetimes).map { $0.arrival.seconds + $1.min }
        let end = seen.max() ?? 0
        builder.setDepartures { row, arrival in
            let lifetime = lifetimes[row]
            guard !lifetime.isCensored else { return nil }
            let latest = max(lifetime.min, min(lifetime.max, end - arrival.seconds))
            let expected = (lifetime.min + latest) / 2
            return SimTime(seconds: arrival.seconds + (expected > 0 ? expected : stepSeconds / 2))
        }
        let between = lifetimes.count { $0.min < $0.max && !$0.isCensored }
        if between > 0 {
            builder.appendNote(
                "Lifetimes between bounds, taken halfway: \(between) of \(builder.count).")
        }
        let short = lifetimes.count { $0.max == 0 && !$0.isCensored }
        if short > 0 {
            builder.appendNote(
                "Lifetimes below one step of 300 s, taken as 150 s: \(short) of \(builder.count).")
        }
        return try builder.finishWorkload(end: SimTime(seconds: end))
    }
}
