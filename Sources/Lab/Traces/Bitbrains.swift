// GWA-T-12 (Shen, van Beek, Iosup, CCGRID 2015): a folder with one table for each VM of Bitbrains' data centre.
//
//   Timestamp [ms]; CPU cores; CPU capacity provisioned [MHZ]; CPU usage [MHZ]; CPU usage [%];
//   Memory capacity provisioned [KB]; Memory usage [KB]; disk and network, which are left alone
//
// The published files have seconds where the header says milliseconds: what is too small for milliseconds since 1970 is
// taken as seconds. Readings lie about 300 s apart; they are put on a grid of 300 s, gaps filled with the reading before.

import Model
import Placement
import Simulation

enum Bitbrains {
    static let signature = ["CPU cores", "CPU usage [%]", "Memory usage [KB]"]

    private static let step = 300.0
    /// A time in seconds is below this until the year 5138, one in milliseconds above it since 1973.
    private static let millisecondsFrom = 1e11

    static func readWorkload(from source: TraceSource) throws(TraceError) -> Workload {
        var builder = WorkloadBuilder(format: .bitbrains, source: source)
        builder.expectMemoryUse()
        var machines: [Machine] = []
        if source.isFolder {
            let names = source.names.filter { $0.hasSuffix(".csv") }
            guard names.count <= Limits.filesMax else {
                throw .tooLarge(file: source.path, limit: Limits.filesMax, of: "files")
            }
            for name in names.sorted(by: isOrdered) {
                let table = try source.openTable(named: name, separator: .semicolon)
                machines.append(try Machine(table, name: String(name.dropLast(4))))
            }
        } else {
            machines.append(
                try Machine(try source.openTable(separator: .semicolon), name: source.name))
        }
        try addMachines(machines, into: &builder)
        return try builder.finishWorkload(end: endOfTrace(of: machines))
    }

    /// "2.csv" stands before "10.csv".
    private static func isOrdered(_ left: String, before right: String) -> Bool {
        (left.utf8.count, left) < (right.utf8.count, right)
    }

    private static func addMachines(
        _ machines: [Machine], into builder: inout WorkloadBuilder
    ) throws(TraceError) {
        let beginning = machines.map(\.first).min() ?? 0
        let last = machines.map(\.last).max() ?? 0
        var empty = 0
        for machine in machines {
            guard machine.cores > 0, machine.memoryKiB > 0 else {
                empty += 1
                continue
            }
            guard machine.first - beginning <= Limits.secondsMax else {
                throw .tooLarge(file: machine.file, limit: Int(Limits.secondsMax), of: "seconds")
            }
            let leaves = machine.last + step <= last
            var request = VMRequest(
                arrival: SimTime(seconds: machine.first - beginning),
                departure: leaves
                    ? SimTime(seconds: machine.last + step - beginning) : .never,
                request: Resources(
                    milliCPUs: machine.cores * 1000, memoryBytes: machine.memoryKiB << 10))
            request.series = try builder.addSeries(
                cpu: machine.cpu, memory: machine.memoryShares, every: .seconds(300))
            try builder.addRequest(request, name: machine.name)
        }
        if empty > 0 {
            builder.appendNote(
                "Left out, because they have no cores or no memory: \(empty) of \(machines.count) VMs."
            )
        }
        let clipped = machines.reduce(0) { $0 + $1.clipped }
        if clipped > 0 {
            builder.appendNote("Readings of use above what is provisioned, cut: \(clipped).")
        }
    }

    private static func endOfTrace(of machines: [Machine]) -> SimTime {
        let beginning = machines.map(\.first).min() ?? 0
        return SimTime(seconds: (machines.map(\.last).max() ?? 0) + step - beginning)
    }

    /// One VM's readings on the grid.
    private struct Machine {
        let file: String
        let name: String
        /// The most that was ever provisioned.
        private(set) var cores = 0
        private(set) var memoryKiB = 0
        /// Seconds since 1970.
        private(set) var first = 0.0
        private(set) var last = 0.0
        private(set) var cpu: [Float] = []
        private(set) var clipped = 0
        private var usedKiB: [Double] = []

        init(_ rows: CSVTable, name: String) throws(TraceError) {
            var table = rows
            file = table.file
            self.name = name
            let columns = try Columns(table)
            while try table.readNextRow() { try appendSample(from: table, using: columns) }
            guard !cpu.isEmpty else {
                throw .malformed(TracePlace(file), expected: "at least one reading", found: "")
            }
            clipped += usedKiB.count { $0 > Double(memoryKiB) }
        }

        var memoryShares: [Float] { usedKiB.map { Float(min(1, $0 / Double(memoryKiB))) } }

        private mutating func appendSample(from table: CSVTable, using columns: Columns)
            throws(TraceError)
        {
            let stamp = try table.decimalNumber(
                in: columns.time, range: 0...1e14, meaning: "milliseconds")
            let time = stamp >= millisecondsFrom ? stamp / 1000 : stamp
            if cpu.isEmpty { first = time }
            guard time >= max(first, last), time - first <= Limits.secondsMax else {
                throw table.malformedField(
                    in: columns.time, expected: "a time no earlier than the row before")
            }
            last = time
            cores = max(cores, try table.wholeNumber(in: columns.cores, range: 0...Limits.coresMax))
            let provisioned = try table.decimalNumber(
                in: columns.provisioned, range: 0...Double(Limits.memoryBytesMax >> 10),
                meaning: "KB")
            memoryKiB = max(memoryKiB, Int(provisioned))
            let percent = try table.decimalNumber(
                in: columns.percent, range: 0...1e6, meaning: "percent")
            if percent > 100 { clipped += 1 }
            let used = try table.decimalNumber(in: columns.used, range: 0...1e15, meaning: "KB")
            try fillTimeSlot(
                at: Int(((time - first) / step).rounded()), cpuShare: Float(min(1, percent / 100)),
                usedKiB: used)
        }

        /// Readings up to a slot of the grid hold the last one; of two in one slot the later counts.
        private mutating func fillTimeSlot(
            at slot: Int, cpuShare share: Float, usedKiB used: Double
        ) throws(TraceError) {
            guard slot < Limits.samplesMax >> 4 else {
                throw .tooLarge(file: file, limit: Limits.samplesMax >> 4, of: "samples")
            }
            while cpu.count < slot, let heldCPU = cpu.last, let heldMemory = usedKiB.last {
                cpu.append(heldCPU)
                usedKiB.append(heldMemory)
            }
            if cpu.count > slot {
                (cpu[slot], usedKiB[slot]) = (share, used)
            } else {
                cpu.append(share)
                usedKiB.append(used)
            }
        }
    }

    private struct Columns {
        let time, cores, percent, provisioned, used: Column

        init(_ table: CSVTable) throws(TraceError) {
            time = try table.requireColumn(named: "Timestamp [ms]", "Timestamp")
            cores = try table.requireColumn(named: "CPU cores")
            percent = try table.requireColumn(named: "CPU usage [%]")
            provisioned = try table.requireColumn(named: "Memory capacity provisioned [KB]")
            used = try table.requireColumn(named: "Memory usage [KB]")
        }
    }
}
