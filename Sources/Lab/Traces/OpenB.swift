// Alibaba's GPU cluster of 2023 (Weng et al., USENIX ATC 2023): nodes, and pods with CPU, memory and GPU.
//
//   openb_node_list_*.csv    sn,cpu_milli,memory_mib,gpu,model
//   openb_pod_list_*.csv     name,cpu_milli,memory_mib,num_gpu,gpu_milli,gpu_spec,qos,pod_phase,creation_time,
//                            deletion_time,scheduled_time                                                  seconds
//
// Ferry places no GPUs. Either the pods that need one are left out, or they count by their CPU and memory alone.

import Model
import Placement
import Simulation

enum OpenB {
    static let podsPrefix = "openb_pod_list"
    private static let podsDefault = "openb_pod_list_default.csv"
    private static let nodesPrefix = "openb_node_list"
    private static let nodesDefault = "openb_node_list_all_node.csv"

    static func readWorkload(
        from source: TraceSource, countsGPUPods: Bool
    ) throws(TraceError) -> Workload {
        var builder = WorkloadBuilder(format: countsGPUPods ? .openbAll : .openb, source: source)
        if let nodes = try nodesFile(in: source) {
            try readNodes(from: try source.openTable(named: nodes), into: &builder)
        }
        let pods =
            source.isFolder
            ? try source.openTable(named: podsFileName(in: source)) : try source.openTable()
        try readPodRequests(from: pods, countsGPUPods: countsGPUPods, into: &builder)
        return try builder.finishWorkload()
    }

    private static func podsFileName(in source: TraceSource) throws(TraceError) -> String {
        try uniqueFileName(
            withPrefix: podsPrefix, preferring: podsDefault, among: source.names, of: source)
            ?? podsDefault
    }

    /// Beside the pods; nil when there is none, and the run says which hosts there are.
    private static func nodesFile(in source: TraceSource) throws(TraceError) -> String? {
        let names = source.isFolder ? source.names : try source.namesBeside()
        return try uniqueFileName(
            withPrefix: nodesPrefix, preferring: nodesDefault, among: names, of: source)
    }

    private static func uniqueFileName(
        withPrefix prefix: String, preferring preferred: String, among names: [String],
        of source: TraceSource
    ) throws(TraceError) -> String? {
        let files = names.filter { $0.hasPrefix(prefix) && $0.hasSuffix(".csv") }
        if files.contains(preferred) { return preferred }
        guard files.count <= 1 else {
            throw .malformed(
                TracePlace(source.path), expected: "\(preferred), or one file \(prefix)*.csv",
                found: CSVTable.shortenText(files.joined(separator: " ")))
        }
        return files.first
    }

    private static func readNodes(
        from nodes: CSVTable, into builder: inout WorkloadBuilder
    ) throws(TraceError) {
        var table = nodes
        let name = try table.requireColumn(named: "sn")
        let cpu = try table.requireColumn(named: "cpu_milli")
        let memory = try table.requireColumn(named: "memory_mib")
        var names: Set<String> = []
        while try table.readNextRow() {
            let capacity = Resources(
                milliCPUs: try table.milliCPUs(in: cpu, thousandthsPerUnit: 1),
                memoryBytes: try table.memoryBytes(in: memory, bytesPerUnit: 1 << 20))
            guard names.insert(table.textValue(in: name)).inserted else {
                throw table.malformedField(in: name, expected: "a name that no other node has")
            }
            try builder.appendHost(
                PlacementHost(name: table.textValue(in: name), capacity: capacity))
        }
    }

    private static func readPodRequests(
        from pods: CSVTable, countsGPUPods: Bool, into builder: inout WorkloadBuilder
    ) throws(TraceError) {
        var table = pods
        let columns = try PodColumns(table)
        var names: Set<String> = []
        var withGPU = 0
        while try table.readNextRow() {
            let name = table.textValue(in: columns.name)
            guard !name.isEmpty, names.insert(name).inserted else {
                throw table.malformedField(
                    in: columns.name, expected: "a name that no other pod has")
            }
            let request = try columns.vmRequest(from: table, builder: &builder)
            let gpus = try table.wholeNumber(in: columns.gpus, range: 0...1024)
            if gpus > 0 { withGPU += 1 }
            if gpus == 0 || countsGPUPods { try builder.addRequest(request, name: name) }
        }
        guard withGPU > 0 else { return }
        builder.appendNote(
            countsGPUPods
                ? "Counted by CPU and memory alone, though they need GPUs: \(withGPU) of \(builder.count) pods."
                : "Left out, because they need GPUs: \(withGPU) pods (format openb-all counts their CPU and memory)."
        )
    }

    private struct PodColumns {
        let name, cpu, memory, gpus, qos, creation, deletion: Column

        init(_ table: CSVTable) throws(TraceError) {
            name = try table.requireColumn(named: "name")
            cpu = try table.requireColumn(named: "cpu_milli")
            memory = try table.requireColumn(named: "memory_mib")
            gpus = try table.requireColumn(named: "num_gpu")
            qos = try table.requireColumn(named: "qos")
            creation = try table.requireColumn(named: "creation_time")
            deletion = try table.requireColumn(named: "deletion_time")
        }

        func vmRequest(
            from table: CSVTable, builder: inout WorkloadBuilder
        ) throws(TraceError) -> VMRequest {
            let arrival = try table.simulationTime(in: creation)
            var departure = SimTime.never
            if !table.isFieldNull(in: deletion) {
                departure = try table.simulationTime(in: deletion)
                guard departure >= arrival else {
                    throw table.malformedField(
                        in: deletion, expected: "seconds, no earlier than creation_time")
                }
            }
            var request = VMRequest(
                arrival: arrival, departure: departure,
                request: Resources(
                    milliCPUs: try table.milliCPUs(in: cpu, thousandthsPerUnit: 1),
                    memoryBytes: try table.memoryBytes(
                        in: memory, bytesPerUnit: 1 << 20, allowsNone: true)))
            request.kind = builder.kindIndex(named: table.textValue(in: qos))
            return request
        }
    }
}
