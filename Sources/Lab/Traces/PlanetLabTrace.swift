// A day of PlanetLab as a workload: what every VM used of its CPU, once each 300 s.
//
// The trace knows nothing but percentages. Shapes are those of the published experiment (Beloglazov and Buyya, Concurrency
// and Computation 24, 2012; CloudSim 3.0.3's examples): four types in equal shares by the VM's place among the files. A
// thousand MIPS count as one core. Names in upper case give the order, as in the experiment.

import Model
import Placement
import Simulation

enum PlanetLabTrace {
    /// MIPS and MiB of the experiment's VM types, in its order.
    private static let shapes = [(2500, 870), (2000, 1740), (1000, 1740), (500, 613)].map {
        Resources(milliCPUs: $0.0, memoryBytes: $0.1 << 20)
    }

    static func readWorkload(from source: TraceSource) throws(TraceError) -> Workload {
        let day = try PlanetLabFolder.readTraceDay(inFolder: source.path)
        var builder = WorkloadBuilder(format: .planetLab, source: source)
        let vmsPerType = (day.vmNames.count + shapes.count - 1) / shapes.count
        let interval = Duration.seconds(PlanetLabDay.secondsPerSample)
        for (number, name) in day.vmNames.enumerated() {
            let type = number / vmsPerType
            var request = VMRequest(
                arrival: .start, departure: .never, request: shapes[type])
            request.series = try builder.addSeries(
                cpu: day.usageSamples(ofVM: number).map { Float($0) / 100 }, every: interval)
            request.kind = Int32(type + 1)
            try builder.addRequest(request, name: name)
        }
        builder.appendNote(
            "The trace has no shapes: VMs have those of the published experiment, 1000 MIPS count as one core."
        )
        return try builder.finishWorkload(
            end: .start + .seconds(PlanetLabDay.samplesPerVM * PlanetLabDay.secondsPerSample))
    }
}
