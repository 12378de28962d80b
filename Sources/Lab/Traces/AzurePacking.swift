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

    static func readWorkload(from source: TraceSource) throws(TraceError) -> Workload {
        let types = try Types(
            try source.openTable(named: resolveFileName("vmType.csv", in: source)))
        var builder = WorkloadBuilder(format: .azurePacking, source: source)
        let vms =
            source.isFolder
            ? try source.openTable(named: resolveFileName("vm.csv", in: source))
            : try source.openTable()
        try readVMRequests(from: vms, vmTypes: types, into: &builder)
        builder.appendNote(
            "A machine counts as 100 cores and 1000 GiB: hosts of 100c/1000GiB are machine \(types.machine) of the trace; disks and network are left out."
        )
        let last = builder.workload.requests.map(\.arrival.seconds).max() ?? 0
        let days = (last / secondsPerDay).rounded(.down) + 1
        return try builder.finishWorkload(end: SimTime(seconds: days * secondsPerDay))
    }

    /// As the folder spells it.
    private static func resolveFileName(_ name: String, in source: TraceSource) -> String {
        source.names.first { $0.lowercased() == name.lowercased() } ?? name
    }

    private static func readVMRequests(
        from vms: CSVTable, vmTypes types: Types, into builder: inout WorkloadBuilder
    ) throws(TraceError) {
        var table = vms
        let columns = try Columns(table)
        var ids: Set<Int> = []
        var (before, elsewhere) = (0, 0)
        while try table.readNextRow() {
            let id = try table.wholeNumber(in: columns.id, range: 0...Int.max)
            guard ids.insert(id).inserted else {
                throw table.malformedField(in: columns.id, expected: "an id that no other row has")
            }
            let type = try table.wholeNumber(in: columns.type, range: 0...Int.max)
            guard types.known.contains(type) else {
                throw table.malformedField(
                    in: columns.type, expected: "a VM type of the other table")
            }
            let start = try table.decimalNumber(
                in: columns.start, range: -daysBeforeMax...daysMax, meaning: "days")
            let end = try columns.departureDays(from: table, after: start)
            guard let shape = types.shapes[type] else {
                elsewhere += 1
                continue
            }
            if start < 0 { before += 1 }
            var request = VMRequest(
                arrival: simulationTime(days: start),
                departure: end.map { simulationTime(days: $0) } ?? .never, request: shape)
            request.kind = builder.kindIndex(named: table.textValue(in: columns.tenant))
            request.priority = Int16(
                -(try table.wholeNumber(in: columns.priority, range: 0...1000)))
            try builder.addRequest(request, name: "\(id)")
        }
        if before > 0 {
            builder.appendNote(
                "There before the trace, arriving at 0: \(before) of \(builder.count) VMs.")
        }
        if elsewhere > 0 {
            builder.appendNote(
                "Left out, because machine \(types.machine) cannot run them: \(elsewhere) VMs.")
        }
    }

    private static func simulationTime(days: Double) -> SimTime {
        SimTime(seconds: max(0, days) * secondsPerDay)
    }

    private struct Columns {
        let id, tenant, type, priority, start, end: Column

        init(_ table: CSVTable) throws(TraceError) {
            id = try table.requireColumn(named: "vmId")
            tenant = try table.requireColumn(named: "tenantId")
            type = try table.requireColumn(named: "vmTypeId")
            priority = try table.requireColumn(named: "priority")
            start = try table.requireColumn(named: "starttime")
            end = try table.requireColumn(named: "endtime")
        }

        func departureDays(from table: CSVTable, after start: Double) throws(TraceError) -> Double?
        {
            guard !table.isFieldNull(in: end) else { return nil }
            return try table.decimalNumber(
                in: end, range: start...max(start, daysMax),
                meaning: "days, no earlier than starttime:")
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
            let type = try table.requireColumn(named: "vmTypeId")
            let machineColumn = try table.requireColumn(named: "machineId")
            let core = try table.requireColumn(named: "core")
            let memory = try table.requireColumn(named: "memory")
            var byMachine: [Int: [Int: Resources]] = [:]
            while try table.readNextRow() {
                let id = try table.wholeNumber(in: type, range: 0...Int.max)
                let machine = try table.wholeNumber(in: machineColumn, range: 0...Int.max)
                let cpu = try table.decimalNumber(in: core, range: 0...1, meaning: "a share")
                let bytes = try table.decimalNumber(in: memory, range: 0...1, meaning: "a share")
                guard byMachine[machine]?[id] == nil else {
                    throw table.malformedField(
                        in: type, expected: "a VM type once for each machine")
                }
                byMachine[machine, default: [:]][id] = AzurePacking.vmResources(
                    cpuShare: cpu, memoryShare: bytes)
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
    private static func vmResources(cpuShare cpu: Double, memoryShare memory: Double) -> Resources {
        Resources(
            milliCPUs: Int((cpu * Double(machine.milliCPUs)).rounded(.down)),
            memoryBytes: Int((memory * Double(machine.memoryBytes)).rounded(.down)))
    }
}
