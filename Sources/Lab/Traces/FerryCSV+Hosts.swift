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
            let host = try columns.readHost(from: table)
            guard !host.name.isEmpty, names.insert(host.name).inserted else {
                throw table.malformed(columns.name, expected: "a name that no other host has")
            }
            try builder.addHost(host)
        }
    }

    private struct HostColumns {
        let name, cores: Column
        let memory: (column: Column, bytesPerUnit: Int)
        let reserved: (column: Column, bytesPerUnit: Int)?
        let rack, zone, cpuOvercommit, memoryOvercommit, link, labels: Column?

        init(_ table: CSVTable) throws(TraceError) {
            name = try table.column("name")
            cores = try table.column("cores")
            memory = try requiredMemoryColumn(of: table)
            reserved = memoryColumn(of: table, prefix: "reserved_")
            rack = table.optionalColumn("rack")
            zone = table.optionalColumn("zone")
            cpuOvercommit = table.optionalColumn("cpu_overcommit")
            memoryOvercommit = table.optionalColumn("memory_overcommit")
            link = table.optionalColumn("link_gbit_per_s")
            labels = table.optionalColumn("labels")
        }

        func readHost(from table: CSVTable) throws(TraceError) -> PlacementHost {
            let capacity = Resources(
                milliCPUs: try table.milliCPUs(in: cores),
                memoryBytes: try table.memoryBytes(
                    in: memory.column, bytesPerUnit: memory.bytesPerUnit))
            var host = PlacementHost(name: table.text(name), capacity: capacity)
            host.domain = FaultDomain(
                zone: zone.map { table.text($0) } ?? "", rack: rack.map { table.text($0) } ?? "")
            if let reserved, !table.isEmpty(reserved.column) {
                host.reservedMemoryBytes = try self.reservedAmount(
                    from: table, columns: reserved, of: capacity)
            }
            host.cpuOvercommit = try overcommitFactor(from: table, in: cpuOvercommit)
            host.memoryOvercommit = try overcommitFactor(from: table, in: memoryOvercommit)
            if let link, !table.isEmpty(link) {
                let gigabits = try table.number(in: link, range: 0.001...100_000, meaning: "Gbit/s")
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
            let value = try table.number(
                in: reserved.column, range: 0...most, meaning: "no more than the host has:")
            return Int((value * Double(reserved.bytesPerUnit)).rounded(.down))
        }

        private func overcommitFactor(from table: CSVTable, in column: Column?) throws(TraceError)
            -> Double
        {
            guard let column, !table.isEmpty(column) else { return 1 }
            return try table.number(
                in: column, range: 0.01...Limits.overcommitMax, meaning: "a factor")
        }
    }
}
