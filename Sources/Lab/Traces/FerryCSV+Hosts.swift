// The hosts of Ferry's own trace.

import Placement

extension FerryCSV {
    static func readHosts(
        from hosts: CSVTable, into builder: inout WorkloadBuilder
    ) throws(TraceError) {
        var table = hosts
        let columns = try HostColumns(table)
        var names: Set<String> = []
        while try table.readNextRow() {
            let host = try columns.readHostRow(from: table)
            guard !host.name.isEmpty, names.insert(host.name).inserted else {
                throw table.malformedField(
                    in: columns.name, expected: "a name that no other host has")
            }
            try builder.appendHost(host)
        }
    }

    private struct HostColumns {
        let name, cores: Column
        let memory: (column: Column, bytesPerUnit: Int)
        let reserved: (column: Column, bytesPerUnit: Int)?
        let rack, zone, cpuOvercommit, memoryOvercommit, link, labels: Column?

        init(_ table: CSVTable) throws(TraceError) {
            name = try table.requireColumn(named: "name")
            cores = try table.requireColumn(named: "cores")
            memory = try requiredMemoryColumn(of: table)
            reserved = memoryColumn(of: table, prefix: "reserved_")
            rack = table.optionalColumn(named: "rack")
            zone = table.optionalColumn(named: "zone")
            cpuOvercommit = table.optionalColumn(named: "cpu_overcommit")
            memoryOvercommit = table.optionalColumn(named: "memory_overcommit")
            link = table.optionalColumn(named: "link_gbit_per_s")
            labels = table.optionalColumn(named: "labels")
        }

        func readHostRow(from table: CSVTable) throws(TraceError) -> PlacementHost {
            let capacity = Resources(
                milliCPUs: try table.milliCPUs(in: cores),
                memoryBytes: try table.memoryBytes(
                    in: memory.column, bytesPerUnit: memory.bytesPerUnit))
            var host = PlacementHost(name: table.textValue(in: name), capacity: capacity)
            host.domain = FaultDomain(
                zone: zone.map { table.textValue(in: $0) } ?? "",
                rack: rack.map { table.textValue(in: $0) } ?? "")
            if let reserved, !table.isFieldEmpty(in: reserved.column) {
                host.reservedMemoryBytes = try self.reservedAmount(
                    from: table, columns: reserved, of: capacity)
            }
            host.cpuOvercommit = try overcommitFactor(from: table, in: cpuOvercommit)
            host.memoryOvercommit = try overcommitFactor(from: table, in: memoryOvercommit)
            if let link, !table.isFieldEmpty(in: link) {
                let gigabits = try table.decimalNumber(
                    in: link, range: 0.001...100_000, meaning: "Gbit/s")
                host.linkBytesPerSecond = gigabits * 1.25e8
            }
            if let labels { host.labels = try table.labelList(in: labels) }
            return host
        }

        private func reservedAmount(
            from table: CSVTable, columns reserved: (column: Column, bytesPerUnit: Int),
            of capacity: Resources
        ) throws(TraceError) -> Int {
            let most = Double(capacity.memoryBytes) / Double(reserved.bytesPerUnit)
            let value = try table.decimalNumber(
                in: reserved.column, range: 0...most, meaning: "no more than the host has:")
            return Int((value * Double(reserved.bytesPerUnit)).rounded(.down))
        }

        private func overcommitFactor(from table: CSVTable, in column: Column?) throws(TraceError)
            -> Double
        {
            guard let column, !table.isFieldEmpty(in: column) else { return 1 }
            return try table.decimalNumber(
                in: column, range: 0.01...Limits.overcommitMax, meaning: "a factor")
        }
    }
}
