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

    init(_ options: WorkloadOptions) throws {
        if let trace = options.trace {
            self = .trace(try Self.trace(trace, options))
        } else if let file = options.whatIf {
            self = .history(
                try Self.reading { () throws(TraceError) in
                    try HistoryReader.readHistory(path: CurrentCluster.absolute(file))
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
        _ = try workload(seed: 0)
    }

    private static func trace(_ path: String, _ options: WorkloadOptions) throws -> Workload {
        var workload = try reading { () throws(TraceError) in
            try TraceReader.readWorkload(
                path: CurrentCluster.absolute(path), format: options.format)
        }
        if let limit = options.limit, limit < workload.requests.count {
            let count = workload.requests.count
            workload.requests.removeLast(count - limit)
            workload.names = Array(workload.names.prefix(limit))
            workload.notes.append("Only the first \(limit) of \(count) requests are replayed.")
        }
        return workload
    }

    private static func reading<Value>(_ read: () throws(TraceError) -> Value) throws -> Value {
        do throws(TraceError) { return try read() } catch {
            throw CommandFailure(error)
        }
    }

    func workload(seed: UInt64) throws -> Workload {
        switch self {
        case .trace(let workload): return workload
        case .history(let history): return history.workload
        case .synthetic(let generator, let vms, let duration):
            do throws(SyntheticError) {
                return generator.makeWorkload(
                    try SyntheticParameters(vms: vms, duration: duration, seed: seed))
            } catch { throw CommandFailure(.refused, code: "bad_input", "\(error)") }
        }
    }

    /// The most of each resource that VMs ask for at one time, with any of the seeds.
    func peak(seeds: [UInt64]) throws -> Resources {
        guard case .synthetic = self else { return try workload(seed: seeds[0]).peak }
        var most = Resources.none
        for seed in seeds {
            let peak = try workload(seed: seed).peak
            most.milliCPUs = max(most.milliCPUs, peak.milliCPUs)
            most.memoryBytes = max(most.memoryBytes, peak.memoryBytes)
        }
        return most
    }

    /// What reports call it; the same for all seeds.
    func name(of workload: Workload) -> String {
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
            self.init(.failed, code: "unreadable", "\(error)")
        } else {
            self.init(.refused, code: "bad_input", "\(error)")
        }
    }
}
