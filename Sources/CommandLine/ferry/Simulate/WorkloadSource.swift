// Where the runs of a sweep get their workload from. A trace is read once and shared; a generator makes one for each
// run, so that a sweep holds no more of them than runs that are under way.

import History
import Placement
import Simulation
import Traces

enum WorkloadSource: Sendable {
    case trace(Workload)
    case synthetic(SyntheticWorkload, vms: Int, duration: Duration)
    case history(History)

    init(from options: WorkloadOptions) throws {
        if let trace = options.trace {
            self = .trace(try Self.readTrace(at: trace, options: options))
        } else if let file = options.whatIf {
            self = .history(
                try Self.convertTraceErrors { () throws(TraceError) in
                    try HistoryReader.readHistory(path: CurrentCluster.absolutePath(for: file))
                })
        } else {
            guard let generator = options.synthetic else {
                preconditionFailure("validated: one of three is given")
            }
            self = .synthetic(
                generator, vms: options.vms ?? SimulationLimits.vmsUsual,
                duration: options.duration ?? .seconds(86_400))
        }
        // What is out of range is told before anything runs.
        _ = try makeWorkload(seed: 0)
    }

    private static func readTrace(at path: String, options: WorkloadOptions) throws -> Workload {
        var workload = try convertTraceErrors { () throws(TraceError) in
            try TraceReader.readWorkload(
                path: CurrentCluster.absolutePath(for: path), format: options.format)
        }
        if let limit = options.limit, limit < workload.requests.count {
            let count = workload.requests.count
            workload.requests.removeLast(count - limit)
            workload.names = Array(workload.names.prefix(limit))
            workload.notes.append("Only the first \(limit) of \(count) requests are replayed.")
        }
        return workload
    }

    private static func convertTraceErrors<Value>(from read: () throws(TraceError) -> Value) throws
        -> Value
    {
        do throws(TraceError) { return try read() } catch {
            throw CommandFailure(error)
        }
    }

    func makeWorkload(seed: UInt64) throws -> Workload {
        switch self {
        case .trace(let workload): return workload
        case .history(let history): return history.workload
        case .synthetic(let generator, let vms, let duration):
            do throws(SyntheticError) {
                return generator.makeWorkload(
                    from: try SyntheticParameters(vms: vms, duration: duration, seed: seed))
            } catch { throw CommandFailure(.refused, code: "bad_input", message: "\(error)") }
        }
    }

    /// The most of each resource that VMs ask for at one time, with any of the seeds.
    func peakDemand(seeds: [UInt64]) throws -> Resources {
        guard case .synthetic = self else { return try makeWorkload(seed: seeds[0]).peak }
        var most = Resources.none
        for seed in seeds {
            let peak = try makeWorkload(seed: seed).peak
            most.milliCPUs = max(most.milliCPUs, peak.milliCPUs)
            most.memoryBytes = max(most.memoryBytes, peak.memoryBytes)
        }
        return most
    }

    /// What reports call it; the same for all seeds.
    func displayName(of workload: Workload) -> String {
        switch self {
        case .trace, .history: workload.name
        case .synthetic(let generator, let vms, _): "\(generator.rawValue), \(vms) VMs"
        }
    }
}

extension CommandFailure {
    /// Bad content is refused; a file that is not there is a failure.
    init(_ error: TraceError) {
        if case .unreadable = error {
            self.init(.failed, code: "unreadable", message: "\(error)")
        } else {
            self.init(.refused, code: "bad_input", message: "\(error)")
        }
    }
}
