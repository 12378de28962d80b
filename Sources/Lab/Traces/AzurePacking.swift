// Azure's trace for packing of 2020 (Hadary et al., OSDI 2020), its two tables exported as CSV into one folder.
//
//   vm.csv       vmId,tenantId,vmTypeId,priority,starttime,endtime          days; priority 0 high, 1 low
//   vmType.csv   id,vmTypeId,machineId,core,memory,hdd,ssd,nic              shares of one machine
//
// A VM type asks for another share of each generation of machines. One generation is taken: the one that most VM types
// can run on. A machine counts as 100 cores and 1,000 GiB, so that a hundredth of it is one core and 10 GiB.

import Model
import Placement
import Simulation

enum AzurePacking {
    /// What a whole machine counts as.
    static let machine = Resources(milliCPUs: 100_000, memoryBytes: 1000 << 30)

    private static let secondsPerDay = 86_400.0
    /// VMs that were there before the trace; none for longer than this.
    private static let daysBeforeMax = 36_500.0
    private static let daysMax = Limits.secondsMax / secondsPerDay

    static func read(_ source: TraceSource) throws(TraceError) -> Workload {
        let types = try Types(try source.table(named: name("vmType.csv", source)))
        var builder = WorkloadBuilder(.azurePacking, source)
        let vms =
            source.isFolder
            ? try source.table(named: name("vm.csv", source)) : try source.table()
        try readVMs(vms, types, into: &builder)
        builder.note(
            "A machine counts as 100 cores and 1000 GiB: hosts of 100c/1000GiB are machine \(types.machine) of the trace; disks and network are left out."
        )
        let last = builder.workload.requests.map(\.arrival.seconds).max() ?? 0
        let days = (last / secondsPerDay).rounded(.down) + 1
        return try builder.finish(end: SimTime(seconds: days * secondsPerDay))
    }

    /// As the folder spells it.
    private static func name(_ name: String, _ source: TraceSource) -> String {
        source.names.first { $0.lowercased() == name.lowercased() } ?? name
    }

    private static func readVMs(
        _ vms: CSVTable, _ types: Types, into builder: inout WorkloadBuilder
    ) throws(TraceError) {
        var table = vms
        let columns = try Columns(table)
        var ids: Set<Int> = []
        var (before, elsewhere) = (0, 0)
        while try table.next() {
            let id = try table.wholeNumber(columns.id, in: 0...Int.max)
            guard ids.insert(id).inserted else {
                throw table.malformed(columns.id, "an id that no other row has")
            }
            let type = try table.wholeNumber(columns.type, in: 0...Int.max)
            guard types.known.contains(type) else {
                throw table.malformed(columns.type, "a VM type of the other table")
            }
            let start = try table.number(columns.start, in: -daysBeforeMax...daysMax, "days")
            let end = try columns.end(table, from: start)
            guard let shape = types.shapes[type] else {
                elsewhere += 1
                continue
            }
            if start < 0 { before += 1 }
            var request = VMRequest(
                arrival: time(start), departure: end.map { time($0) } ?? .never, request: shape)
            request.kind = builder.kind(table.text(columns.tenant))
            request.priority = Int16(-(try table.wholeNumber(columns.priority, in: 0...1000)))
            try builder.add(request, name: "\(id)")
        }
        if before > 0 {
            builder.note(
                "There before the trace, arriving at 0: \(before) of \(builder.count) VMs.")
        }
        if elsewhere > 0 {
            builder.note(
                "Left out, because machine \(types.machine) cannot run them: \(elsewhere) VMs.")
        }
    }

    private static func time(_ days: Double) -> SimTime {
        SimTime(seconds: max(0, days) * secondsPerDay)
    }

    private struct Columns {
        let id, tenant, type, priority, start, end: Column

        init(_ table: CSVTable) throws(TraceError) {
            id = try table.column("vmId")
            tenant = try table.column("tenantId")
            type = try table.column("vmTypeId")
            priority = try table.column("priority")
            start = try table.column("starttime")
            end = try table.column("endtime")
        }

        func end(_ table: CSVTable, from start: Double) throws(TraceError) -> Double? {
            guard !table.isNull(end) else { return nil }
            return try table.number(
                end, in: start...max(start, daysMax), "days, no earlier than starttime:")
        }
    }

    /// What each VM type asks for on the machine that most of them can run on.
    private struct Types {
        private(set) var machine = 0
        private(set) var shapes: [Int: Resources] = [:]
        /// All types, of any machine.
        private(set) var known: Set<Int> = []

        init(_ types: CSVTable) throws(TraceError) {
            var table = types
            let type = try table.column("vmTypeId")
            let machineColumn = try table.column("machineId")
            let core = try table.column("core")
            let memory = try table.column("memory")
            var byMachine: [Int: [Int: Resources]] = [:]
            while try table.next() {
                let id = try table.wholeNumber(type, in: 0...Int.max)
                let machine = try table.wholeNumber(machineColumn, in: 0...Int.max)
                let cpu = try table.number(core, in: 0...1, "a share")
                let bytes = try table.number(memory, in: 0...1, "a share")
                guard byMachine[machine]?[id] == nil else {
                    throw table.malformed(type, "a VM type once for each machine")
                }
                byMachine[machine, default: [:]][id] = AzurePacking.shape(cpu, bytes)
                known.insert(id)
            }
            let best = byMachine.min { ($1.value.count, $0.key) < ($0.value.count, $1.key) }
            guard let best else {
                throw .malformed(
                    TracePlace(table.file), expected: "at least one VM type", found: "")
            }
            (machine, shapes) = (best.key, best.value)
        }
    }

    /// Rounded down: what fits a machine exactly must fit it here.
    private static func shape(_ cpu: Double, _ memory: Double) -> Resources {
        Resources(
            milliCPUs: Int((cpu * Double(machine.milliCPUs)).rounded(.down)),
            memoryBytes: Int((memory * Double(machine.memoryBytes)).rounded(.down)))
    }
}
