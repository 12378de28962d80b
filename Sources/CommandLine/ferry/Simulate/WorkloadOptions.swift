// What happens to the simulated cluster: a trace, a generator, or a recorded history.

import ArgumentParser
import Foundation
import Traces

struct WorkloadOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Replay this trace: a file, or a folder where the format has several files.",
            valueName: "path"), completion: .file())
    var trace: String?
    @Option(
        help: ArgumentHelp("The trace's format (default: told by its content).", valueName: "name"),
        completion: .list(TraceFormat.allCases.map(\.rawValue)))
    var format: TraceFormat?
    @Option(
        help: ArgumentHelp(
            "Generate VMs; `ferry simulate policies` lists the generators.", valueName: "name"),
        completion: .list(SyntheticWorkload.allCases.map(\.rawValue)))
    var synthetic: SyntheticWorkload?
    @Option(
        help: ArgumentHelp(
            "With --synthetic: so many VMs (default: \(SimulationLimits.vmsUsual)).",
            valueName: "n"))
    var vms: Int?
    @Option(
        help: ArgumentHelp(
            "With --synthetic: so long, as 90m, 48h or 7d (default: 24h).", valueName: "time"),
        transform: parseDuration)
    var duration: Duration?
    @Option(
        help: ArgumentHelp("Only the first so many VMs of the trace.", valueName: "n"))
    var limit: Int?
    @Option(
        help: ArgumentHelp(
            "Repeat a cluster's history, as `ferry record` wrote it, beside what was done then.",
            valueName: "file"), completion: .file())
    var whatIf: String?

    func validate() throws {
        let sources = [trace != nil, synthetic != nil, whatIf != nil].filter { $0 }.count
        guard sources == 1 else {
            throw ValidationError("give one of --trace, --synthetic and --what-if")
        }
        if trace == nil, format != nil { throw ValidationError("--format is for --trace") }
        if trace == nil, limit != nil { throw ValidationError("--limit is for --trace") }
        if synthetic == nil, vms != nil || duration != nil {
            throw ValidationError("--vms and --duration are for --synthetic")
        }
        if let limit, limit < 1 { throw ValidationError("--limit must be 1 or more") }
    }
}

extension TraceFormat: ExpressibleByArgument {}
extension SyntheticWorkload: ExpressibleByArgument {}
