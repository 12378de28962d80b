// What the VMs of Ferry's own trace used: rows of one VM stand together, at equal distances from age 0 on.

import Model
import Simulation

/// Utilisation that was read, by the VM's name.
struct UseTable {
    private(set) var rows: [String: Int32] = [:]
    private(set) var hasMemory = false
    private var table: CSVTable?
    /// In the order of the file, with the line where each begins.
    private var order: [(name: String, line: Int)] = []

    init() {}

    var isEmpty: Bool { order.isEmpty }

    init(_ use: CSVTable, into builder: inout WorkloadBuilder) throws(TraceError) {
        var table = use
        let columns = try Columns(table)
        hasMemory = columns.memory != nil
        if hasMemory { builder.expectMemoryUse() }
        var series = Series()
        while try table.readNextRow() {
            let name = table.textValue(in: columns.name)
            if order.last?.name != name {
                try finishSeries(series, in: &builder)
                guard rows[name] == nil else {
                    throw table.malformedField(
                        in: columns.name, expected: "rows of one VM together")
                }
                rows[name] = -1
                order.append((name, table.line))
                series = Series()
            }
            try series.appendSample(from: table, using: columns)
        }
        try finishSeries(series, in: &builder)
        self.table = table
    }

    /// Each VM that has utilisation is among these.
    func expectAll(in names: Set<String>) throws(TraceError) {
        guard let table else { return }
        for (name, line) in order where !names.contains(name) {
            throw .malformed(
                TracePlace(table.file, line: line, field: "name"),
                expected: "a VM of \(FerryCSV.vmsFile)",
                found: CSVTable.shortenText(name))
        }
    }

    private mutating func finishSeries(
        _ series: Series, in builder: inout WorkloadBuilder
    ) throws(TraceError) {
        guard let name = order.last?.name else { return }
        rows[name] = try builder.addSeries(
            cpu: series.cpu, memory: series.memory, every: series.interval ?? .seconds(300))
    }

    private struct Columns {
        let name, age, cpu: Column
        let memory: Column?

        init(_ table: CSVTable) throws(TraceError) {
            name = try table.requireColumn(named: "name")
            age = try table.requireColumn(named: "age_s")
            cpu = try table.requireColumn(named: "cpu_share")
            memory = table.optionalColumn(named: "memory_share")
        }
    }

    private struct Series {
        var cpu: [Float] = []
        var memory: [Float] = []
        /// Nil until there are two samples.
        var interval: Duration?

        mutating func appendSample(from table: CSVTable, using columns: Columns) throws(TraceError)
        {
            let age = try table.simulationTime(in: columns.age).nanoseconds
            if cpu.count == 1, age > 0 { interval = .nanoseconds(age) }
            let step = interval?.wholeNanoseconds ?? 0
            guard cpu.isEmpty || step > 0, age == Int64(cpu.count) * step else {
                throw table.malformedField(
                    in: columns.age,
                    expected: cpu.isEmpty ? "0: a VM's first sample" : "seconds at equal distances")
            }
            cpu.append(
                Float(try table.decimalNumber(in: columns.cpu, range: 0...1, meaning: "a share")))
            if let column = columns.memory {
                memory.append(
                    Float(try table.decimalNumber(in: column, range: 0...1, meaning: "a share")))
            }
        }
    }
}
