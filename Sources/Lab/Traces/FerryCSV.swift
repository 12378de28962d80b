// Ferry's own trace: VMs in a table, and, where there are any, hosts and what the VMs used beside it.
//
//   TRACE.csv            the VMs alone, or a folder with
//   vms.csv              arrival_s, vcpus, memory_gib or _mib or _bytes; and, where wanted, name, departure_s or lifetime_s,
//                        kind, priority, together, apart, labels, initial_host, dirty_mib_per_s, cpu_share, memory_share
//   hosts.csv            name, cores, memory_gib or ...; rack, zone, cpu_overcommit, memory_overcommit,
//                        reserved_memory_gib or ..., link_gbit_per_s, labels
//   utilisation.csv      name, age_s, cpu_share; memory_share
//
// Columns stand in any order; others are left alone.

import Model
import Placement
import Simulation

enum FerryCSV {
    static let vmsFile = "vms.csv"
    static let hostsFile = "hosts.csv"
    static let utilisationFile = "utilisation.csv"

    static func readWorkload(from source: TraceSource) throws(TraceError) -> Workload {
        var builder = WorkloadBuilder(format: .csv, source: source)
        if source.names.contains(hostsFile) {
            try readHosts(from: try source.openTable(named: hostsFile), into: &builder)
        }
        var use = UseTable()
        if source.names.contains(utilisationFile) {
            use = try UseTable(try source.openTable(named: utilisationFile), into: &builder)
        }
        let vms = source.isFolder ? try source.openTable(named: vmsFile) : try source.openTable()
        try readVMRequests(from: vms, use: use, into: &builder)
        return try builder.finishWorkload()
    }

    /// The column of a size in the unit that its name says, and that unit's bytes.
    static func memoryColumn(
        of table: CSVTable, prefix: String = ""
    ) -> (column: Column, bytesPerUnit: Int)? {
        let units = [("gib", 1 << 30), ("mib", 1 << 20), ("bytes", 1)]
        for (unit, bytes) in units {
            if let column = table.optionalColumn(named: "\(prefix)memory_\(unit)") {
                return (column, bytes)
            }
        }
        return nil
    }

    static func requiredMemoryColumn(
        of table: CSVTable
    ) throws(TraceError) -> (column: Column, bytesPerUnit: Int) {
        if let found = memoryColumn(of: table) { return found }
        return (try table.requireColumn(named: "memory_gib", "memory_mib", "memory_bytes"), 1)
    }
}

// MARK: - VMs

extension FerryCSV {
    private static func readVMRequests(
        from vms: CSVTable, use: UseTable, into builder: inout WorkloadBuilder
    ) throws(TraceError) {
        var table = vms
        let columns = try VMColumns(table)
        if use.isEmpty, columns.cpuShare != nil, columns.memoryShare != nil {
            builder.expectMemoryUse()
        }
        var names: Set<String> = []
        var withoutUse = 0
        while try table.readNextRow() {
            let name = columns.name.map { table.textValue(in: $0) } ?? "vm-\(builder.count)"
            guard !name.isEmpty, names.insert(name).inserted else {
                throw table.malformedField(
                    in: columns.name ?? columns.arrival, expected: "a name that no other VM has")
            }
            var request = try columns.vmRequest(from: table, builder: &builder)
            if let series = use.rows[name] {
                request.series = series
            } else if let series = try columns.constantUse(from: table, builder: &builder) {
                request.series = series
            } else {
                withoutUse += 1
            }
            try builder.addRequest(request, name: columns.name == nil ? nil : name)
        }
        try use.expectAll(in: names)
        if !builder.workload.utilisation.isEmpty, withoutUse > 0 {
            builder.appendNote(
                "No utilisation, a share is assumed: \(withoutUse) of \(builder.count) VMs.")
        }
    }

    private struct VMColumns {
        let name, departure, lifetime, kind, priority, together, apart: Column?
        let labels, initialHost, dirtyRate, cpuShare, memoryShare: Column?
        let arrival, vcpus: Column
        let memory: (column: Column, bytesPerUnit: Int)

        init(_ table: CSVTable) throws(TraceError) {
            arrival = try table.requireColumn(named: "arrival_s")
            vcpus = try table.requireColumn(named: "vcpus")
            memory = try requiredMemoryColumn(of: table)
            name = table.optionalColumn(named: "name")
            departure = table.optionalColumn(named: "departure_s")
            lifetime = table.optionalColumn(named: "lifetime_s")
            kind = table.optionalColumn(named: "kind")
            priority = table.optionalColumn(named: "priority")
            together = table.optionalColumn(named: "together")
            apart = table.optionalColumn(named: "apart")
            labels = table.optionalColumn(named: "labels")
            initialHost = table.optionalColumn(named: "initial_host")
            dirtyRate = table.optionalColumn(named: "dirty_mib_per_s")
            cpuShare = table.optionalColumn(named: "cpu_share")
            memoryShare = table.optionalColumn(named: "memory_share")
        }

        func vmRequest(
            from table: CSVTable, builder: inout WorkloadBuilder
        ) throws(TraceError) -> VMRequest {
            let arrival = try table.simulationTime(in: arrival)
            var request = VMRequest(
                arrival: arrival, departure: try departureTime(from: table, arrival: arrival),
                request: Resources(
                    milliCPUs: try table.milliCPUs(in: vcpus),
                    memoryBytes: try table.memoryBytes(
                        in: memory.column, bytesPerUnit: memory.bytesPerUnit)))
            if let kind { request.kind = builder.kindIndex(named: table.textValue(in: kind)) }
            if let priority, !table.isFieldEmpty(in: priority) {
                request.priority = Int16(try table.wholeNumber(in: priority, range: -32768...32767))
            }
            request.groupSet = try readGroupSet(from: table, into: &builder)
            if let labels, !table.isFieldEmpty(in: labels) {
                var demand = VMDemand()
                demand.labels = try table.labelList(in: labels)
                request.demand = builder.demandIndex(of: demand)
            }
            if let initialHost, !table.isFieldEmpty(in: initialHost) {
                request.initialHost = try initialHostIndex(
                    from: table, in: initialHost, arrival: arrival, builder: builder)
            }
            if let dirtyRate, !table.isFieldEmpty(in: dirtyRate) {
                let rate = try table.decimalNumber(in: dirtyRate, range: 0...1e6, meaning: "MiB/s")
                request.dirtyBytesPerSecond = Float(rate * Double(1 << 20))
            }
            return request
        }

        private func initialHostIndex(
            from table: CSVTable, in column: Column, arrival: SimTime, builder: WorkloadBuilder
        ) throws(TraceError) -> Int32 {
            guard let host = builder.hostIndex(named: table.textValue(in: column)) else {
                throw table.malformedField(in: column, expected: "a host of \(hostsFile)")
            }
            guard arrival == .start else {
                throw table.malformedField(
                    in: column, expected: "nothing, because it does not arrive at 0")
            }
            return host
        }

        private func departureTime(from table: CSVTable, arrival: SimTime) throws(TraceError)
            -> SimTime
        {
            if let departure, !table.isFieldEmpty(in: departure) {
                let time = try table.simulationTime(in: departure)
                guard time >= arrival else {
                    throw table.malformedField(
                        in: departure, expected: "seconds, no earlier than its arrival")
                }
                return time
            }
            guard let lifetime, !table.isFieldEmpty(in: lifetime) else { return .never }
            let seconds = try table.decimalNumber(
                in: lifetime, range: 0...Limits.secondsMax, meaning: "seconds")
            return arrival + .nanoseconds(SimTime(seconds: seconds).nanoseconds)
        }

        private func readGroupSet(
            from table: CSVTable, into builder: inout WorkloadBuilder
        ) throws(TraceError) -> Int32 {
            var members: [Int32] = []
            for (column, kind) in [
                (together, AffinityGroup.Kind.together), (apart, .apart()),
            ] {
                guard let column, !table.isFieldEmpty(in: column) else { continue }
                let texts = table.textValue(in: column).split(separator: " ")
                guard members.count + texts.count <= Limits.groupsPerVMMax else {
                    throw table.malformedField(
                        in: column, expected: "at most \(Limits.groupsPerVMMax) groups")
                }
                for text in texts {
                    guard let group = AffinityGroup(text: text, kind: kind) else {
                        throw table.malformedField(in: column, expected: AffinityGroup.textForm)
                    }
                    guard let row = try builder.groupIndex(of: group) else {
                        throw table.malformedField(
                            in: column,
                            expected: "group \(group.name) to be the same wherever it stands")
                    }
                    if !members.contains(row) { members.append(row) }
                }
            }
            return builder.groupSetIndex(of: members)
        }

        /// The same use for all its life; nil when no column says so.
        func constantUse(
            from table: CSVTable, builder: inout WorkloadBuilder
        ) throws(TraceError) -> Int32? {
            guard let cpuShare, !table.isFieldEmpty(in: cpuShare) else { return nil }
            let cpu = Float(try table.decimalNumber(in: cpuShare, range: 0...1, meaning: "a share"))
            guard builder.workload.utilisation.hasMemory else {
                return try builder.addSeries(cpu: [cpu], every: .seconds(300))
            }
            var memory: Float = 1
            if let memoryShare, !table.isFieldEmpty(in: memoryShare) {
                memory = Float(
                    try table.decimalNumber(in: memoryShare, range: 0...1, meaning: "a share"))
            }
            return try builder.addSeries(cpu: [cpu], memory: [memory], every: .seconds(300))
        }
    }
}
