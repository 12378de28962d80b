// Workloads for when no trace is at hand: published distributions, and a seed that says which of them.

package import Simulation

package enum SyntheticError: Error, Hashable, Sendable {
    case outOfRange(String, min: Int, max: Int)
}

extension SyntheticError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .outOfRange(let parameter, let min, let max):
            "\(parameter) must be from \(min) to \(max)"
        }
    }
}

package struct SyntheticParameters: Hashable, Sendable {
    /// VMs in all: those there from the start and those that arrive.
    package let vms: Int
    package let duration: Duration
    package let seed: UInt64
    /// Nil: the run says which hosts there are.
    package let hosts: HostList?

    package init(
        vms: Int, duration: Duration = .seconds(86_400), seed: UInt64, hosts: HostList? = nil
    ) throws(SyntheticError) {
        guard (1...Limits.rowsMax).contains(vms) else {
            throw .outOfRange("the number of VMs", min: 1, max: Limits.rowsMax)
        }
        guard duration >= .seconds(1), duration <= .seconds(Int(Limits.secondsMax)) else {
            throw .outOfRange("the duration in seconds", min: 1, max: Int(Limits.secondsMax))
        }
        (self.vms, self.duration, self.seed, self.hosts) = (vms, duration, seed, hosts)
    }
}

package enum SyntheticWorkload: String, CaseIterable, Sendable {
    case azureLike = "azure-like"
    case steady
    case diurnal
    case batch

    package var summary: String {
        switch self {
        case .azureLike:
            "tenants' batches by day and night, shapes and lifetimes of Azure's 2017 trace"
        case .steady: "as many VMs come as go: Poisson arrivals, exponential lifetimes"
        case .diurnal: "a fixed fleet whose CPU use swings between 10 and 50 % every day"
        case .batch: "jobs of 1 to 128 busy VMs that come and go together (Lublin and Feitelson)"
        }
    }

    /// Equal parameters make equal workloads, bit for bit, on every machine.
    package func makeWorkload(from parameters: SyntheticParameters) -> Workload {
        var draft =
            switch self {
            case .azureLike: AzureLike.makeWorkload(from: parameters)
            case .steady: Fleet.makeSteadyWorkload(from: parameters)
            case .diurnal: Fleet.makeDiurnalWorkload(from: parameters)
            case .batch: BatchJobs.makeWorkload(from: parameters)
            }
        draft.workload.name =
            "\(rawValue), \(parameters.vms) VMs, seed \(parameters.seed)"
        draft.workload.hosts = parameters.hosts?.hosts ?? []
        draft.workload.end = .start + parameters.duration
        return draft.sortedWorkload()
    }
}

/// VMs in the order in which they were drawn.
struct SyntheticDraft {
    var workload = Workload(name: "", end: .start)

    mutating func addRequest(_ request: VMRequest) { workload.requests.append(request) }

    /// In order of arrival. Rows of utilisation go with their VMs.
    consuming func sortedWorkload() -> Workload {
        let requests = workload.requests
        let order = requests.indices.sorted {
            (requests[$0].arrival, $0) < (requests[$1].arrival, $1)
        }
        workload.requests = order.map { requests[$0] }
        return workload
    }
}
