// The hosts of Ferry's own trace.

import Placement

extension FerryCSV {
    static func readHosts(
        _ hosts: CSVTable, into builder: inout WorkloadBuilder
    ) throws(TraceError) {
        var table = hosts
        let columns = try HostColumns(table)
        var names: Set<String> = []
        while try table.next() {
            let host = try columns.host(table)
            guard !host.name.isEmpty, names.insert(host.name).inserted else {
                throw table.malformed(columns.name, "a name that no other host has")
            }
            try builder.add(host)
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
            memory = try requiredMemoryColumn(table)
            reserved = memoryColumn(table, "reserved_")
            rack = table.optionalColumn("rack")
            zone = table.optionalColumn("zone")
            cpuOvercommit = table.optionalColumn("cpu_overcommit")
            memoryOvercommit = table.optionalColumn("memory_overcommit")
            link = table.optionalColumn("link_gbit_per_s")
            labels = table.optionalColumn("labels")
        }

        func host(_ table: CSVTable) throws(TraceError) -> PlacementHost {
            let capacity = Resources(
                milliCPUs: try table.milliCPUs(cores),
                memoryBytes: try table.memoryBytes(
                    memory.column, bytesPerUnit: memory.bytesPerUnit))
            var host = PlacementHost(name: table.text(name), capacity: capacity)
            host.domain = FaultDomain(
                zone: zone.map { table.text($0) } ?? "", rack: rack.map { table.text($0) } ?? "")
            if let reserved, !table.isEmpty(reserved.column) {
                host.reservedMemoryBytes = try self.reserved(table, reserved, of: capacity)
            }
            host.cpuOvercommit = try overcommit(table, cpuOvercommit)
            host.memoryOvercommit = try overcommit(table, memoryOvercommit)
            if let link, !table.isEmpty(link) {
                let gigabits = try table.number(link, in: 0.001...100_000, "Gbit/s")
                host.linkBytesPerSecond = gigabits * 1.25e8
            }
            if let labels { host.labels = try table.labels(labels) }
            return host
        }

        private func reserved(
            _ table: CSVTable, _ reserved: (column: Column, bytesPerUnit: Int),
            of capacity: Resources
        ) throws(TraceError) -> Int {
            let most = Double(capacity.memoryBytes) / Double(reserved.bytesPerUnit)
            let value = try table.number(
                reserved.column, in: 0...most, "no more than the host has:")
            return Int((value * Double(reserved.bytesPerUnit)).rounded(.down))
        }

        private func overcommit(_ table: CSVTable, _ column: Column?) throws(TraceError) -> Double {
            guard let column, !table.isEmpty(column) else { return 1 }
            return try table.number(column, in: 0.01...Limits.overcommitMax, "a factor")
        }
    }
}
