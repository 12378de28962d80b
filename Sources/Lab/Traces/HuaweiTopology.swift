// Huawei's set for placement with constraints (github.com/mdl1104/Dataset-for-topology-aware-VM-placement): what servers
// have free, the racks they stand in, and sequences of requests with groups.
//
//   PM_res.csv       CPU1,RAM1,CPU2,RAM2                               free cores and GiB of a server's two NUMA nodes
//   topology.csv     host_id,rack_id                                   "host-0" is the first row of PM_res.csv
//   VM_data_C1.csv   flavor_vcpus,flavor_ram,numa,strategy,group,domain    GiB; numa: nodes that the VM spans
//
// The set says no more of its groups than collocation, anti-collocation and fault domain. They are read as
//
//   affinity         one rack for the whole group: the largest group needs 544 cores, no server has more than 156
//   anti-affinity    another host for each member
//   fault_domain     VMs of one group with different `domain` share no rack; those with the same may share hosts
//
// There is no time: a request arrives each second and stays.

import Model
import Placement
import Simulation

enum HuaweiTopology {
    private static let serversFile = "PM_res.csv"
    private static let racksFile = "topology.csv"
    private static let requestsPrefix = "VM_data_"
    /// Of racks, groups and domains.
    private static let numbers = 0...1_000_000_000

    static func read(_ source: TraceSource) throws(TraceError) -> Workload {
        let requests =
            source.isFolder ? try source.table(named: requestsFile(source)) : try source.table()
        var builder = WorkloadBuilder(.huaweiTopology, source)
        try readHosts(source, into: &builder)
        try readRequests(requests, into: &builder)
        builder.note(
            "The NUMA nodes of a server are added up; which node a VM is on is not modelled.")
        builder.note("The trace has no times: a request arrives each second and stays.")
        builder.note(
            "Affinity is read as one rack, anti-affinity as different hosts, fault domains as different racks."
        )
        let end = SimTime(seconds: Double(builder.count))
        return try builder.finish(end: end)
    }

    private static func requestsFile(_ source: TraceSource) throws(TraceError) -> String {
        let files = source.names.filter { $0.hasPrefix(requestsPrefix) }
        guard files.count == 1 else {
            throw .malformed(
                TracePlace(source.path),
                expected: "one file \(requestsPrefix)*.csv; with several, give the path of one",
                found: CSVTable.cut(files.joined(separator: " ")))
        }
        return files[0]
    }

    // MARK: - Hosts

    private static func readHosts(
        _ source: TraceSource, into builder: inout WorkloadBuilder
    ) throws(TraceError) {
        let racks = try readRacks(try source.table(named: racksFile))
        var table = try source.table(named: serversFile)
        let cpus = [try table.column("CPU1"), try table.column("CPU2")]
        let memories = [try table.column("RAM1"), try table.column("RAM2")]
        var number = 0
        while try table.next() {
            var capacity = Resources.none
            for node in 0..<2 {
                capacity =
                    capacity
                    + Resources(
                        milliCPUs: try table.wholeNumber(cpus[node], in: 0...Limits.coresMax)
                            * 1000,
                        memoryBytes: try table.wholeNumber(
                            memories[node], in: 0...(Limits.memoryBytesMax >> 31)) << 30)
            }
            var host = PlacementHost(name: "host-\(number)", capacity: capacity)
            guard let rack = racks[host.name] else {
                throw table.malformed("\(host.name) in \(racksFile)", found: "")
            }
            host.domain = FaultDomain(rack: "rack-\(rack)")
            try builder.add(host)
            number += 1
        }
    }

    private static func readRacks(_ rows: CSVTable) throws(TraceError) -> [String: Int] {
        var table = rows
        let host = try table.column("host_id")
        let rack = try table.column("rack_id")
        var racks: [String: Int] = [:]
        while try table.next() {
            let number = try table.wholeNumber(rack, in: numbers)
            guard racks.updateValue(number, forKey: table.text(host)) == nil else {
                throw table.malformed(host, "a host that no other row has")
            }
        }
        return racks
    }
}

// MARK: - Requests

extension HuaweiTopology {
    private static func readRequests(
        _ requests: CSVTable, into builder: inout WorkloadBuilder
    ) throws(TraceError) {
        var table = requests
        let columns = try Columns(table)
        while try table.next() {
            var request = VMRequest(
                arrival: SimTime(seconds: Double(builder.count)), departure: .never,
                request: Resources(
                    milliCPUs: try table.wholeNumber(columns.vcpus, in: 1...Limits.coresMax) * 1000,
                    memoryBytes: try table.wholeNumber(
                        columns.memory, in: 1...(Limits.memoryBytesMax >> 30)) << 30))
            _ = try table.wholeNumber(columns.numa, in: 1...2, "NUMA nodes")
            if let group = try columns.group(table) {
                guard let row = try builder.group(group) else {
                    throw table.malformed(columns.group, "a group of one kind")
                }
                request.groupSet = builder.groupSet([row])
            }
            try builder.add(request)
        }
    }

    private struct Columns {
        let vcpus, memory, numa, strategy, group, domain: Column

        init(_ table: CSVTable) throws(TraceError) {
            vcpus = try table.column("flavor_vcpus")
            memory = try table.column("flavor_ram")
            numa = try table.column("numa")
            strategy = try table.column("strategy")
            group = try table.column("group")
            domain = try table.column("domain")
        }

        func group(_ table: CSVTable) throws(TraceError) -> AffinityGroup? {
            if table.isNull(strategy) { return nil }
            let name = table.text(strategy)
            let number = try table.wholeNumber(group, in: numbers)
            switch name {
            case "affinity":
                return AffinityGroup(name: "affinity-\(number)", .together, scope: .rack)
            case "anti-affinity":
                return AffinityGroup(name: "anti-affinity-\(number)", .apart())
            case "fault_domain":
                let whole = "fault-domain-\(number)"
                let part = try table.wholeNumber(domain, in: numbers)
                return AffinityGroup(
                    name: "\(whole)/\(part)", .partition(of: whole), scope: .rack)
            default:
                throw table.malformed(
                    strategy, "affinity, anti-affinity, fault_domain or nothing")
            }
        }
    }
}
