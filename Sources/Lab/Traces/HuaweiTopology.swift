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

    static func readWorkload(from source: TraceSource) throws(TraceError) -> Workload {
        let requests =
            source.isFolder
            ? try source.openTable(named: requestsFile(in: source)) : try source.openTable()
        var builder = WorkloadBuilder(format: .huaweiTopology, source: source)
        try readHosts(from: source, into: &builder)
        try readRequests(from: requests, into: &builder)
        builder.appendNote(
            "The NUMA nodes of a server are added up; which node a VM is on is not modelled.")
        builder.appendNote("The trace has no times: a request arrives each second and stays.")
        builder.appendNote(
            "Affinity is read as one rack, anti-affinity as different hosts, fault domains as different racks."
        )
        let end = SimTime(seconds: Double(builder.count))
        return try builder.finishWorkload(end: end)
    }

    private static func requestsFile(in source: TraceSource) throws(TraceError) -> String {
        let files = source.names.filter { $0.hasPrefix(requestsPrefix) }
        guard files.count == 1 else {
            throw .malformed(
                TracePlace(source.path),
                expected: "one file \(requestsPrefix)*.csv; with several, give the path of one",
                found: CSVTable.shortenText(files.joined(separator: " ")))
        }
        return files[0]
    }

    // MARK: - Hosts

    private static func readHosts(
        from source: TraceSource, into builder: inout WorkloadBuilder
    ) throws(TraceError) {
        let racks = try readRacks(from: try source.openTable(named: racksFile))
        var table = try source.openTable(named: serversFile)
        let cpus = [try table.requireColumn(named: "CPU1"), try table.requireColumn(named: "CPU2")]
        let memories = [
            try table.requireColumn(named: "RAM1"), try table.requireColumn(named: "RAM2"),
        ]
        var number = 0
        while try table.readNextRow() {
            var capacity = Resources.none
            for node in 0..<2 {
                capacity =
                    capacity
                    + Resources(
                        milliCPUs: try table.wholeNumber(in: cpus[node], range: 0...Limits.coresMax)
                            * 1000,
                        memoryBytes: try table.wholeNumber(
                            in: memories[node], range: 0...(Limits.memoryBytesMax >> 31)) << 30)
            }
            var host = PlacementHost(name: "host-\(number)", capacity: capacity)
            guard let rack = racks[host.name] else {
                throw table.malformedRow(expected: "\(host.name) in \(racksFile)", found: "")
            }
            host.domain = FaultDomain(rack: "rack-\(rack)")
            try builder.appendHost(host)
            number += 1
        }
    }

    private static func readRacks(from rows: CSVTable) throws(TraceError) -> [String: Int] {
        var table = rows
        let host = try table.requireColumn(named: "host_id")
        let rack = try table.requireColumn(named: "rack_id")
        var racks: [String: Int] = [:]
        while try table.readNextRow() {
            let number = try table.wholeNumber(in: rack, range: numbers)
            guard racks.updateValue(number, forKey: table.textValue(in: host)) == nil else {
                throw table.malformedField(in: host, expected: "a host that no other row has")
            }
        }
        return racks
    }
}

// MARK: - Requests

extension HuaweiTopology {
    private static func readRequests(
        from requests: CSVTable, into builder: inout WorkloadBuilder
    ) throws(TraceError) {
        var table = requests
        let columns = try Columns(table)
        while try table.readNextRow() {
            var request = VMRequest(
                arrival: SimTime(seconds: Double(builder.count)), departure: .never,
                request: Resources(
                    milliCPUs: try table.wholeNumber(in: columns.vcpus, range: 1...Limits.coresMax)
                        * 1000,
                    memoryBytes: try table.wholeNumber(
                        in: columns.memory, range: 1...(Limits.memoryBytesMax >> 30)) << 30))
            _ = try table.wholeNumber(in: columns.numa, range: 1...2, meaning: "NUMA nodes")
            if let group = try columns.readGroup(from: table) {
                guard let row = try builder.groupIndex(of: group) else {
                    throw table.malformedField(in: columns.group, expected: "a group of one kind")
                }
                request.groupSet = builder.groupSetIndex(of: [row])
            }
            try builder.addRequest(request)
        }
    }

    private struct Columns {
        let vcpus, memory, numa, strategy, group, domain: Column

        init(_ table: CSVTable) throws(TraceError) {
            vcpus = try table.requireColumn(named: "flavor_vcpus")
            memory = try table.requireColumn(named: "flavor_ram")
            numa = try table.requireColumn(named: "numa")
            strategy = try table.requireColumn(named: "strategy")
            group = try table.requireColumn(named: "group")
            domain = try table.requireColumn(named: "domain")
        }

        func readGroup(from table: CSVTable) throws(TraceError) -> AffinityGroup? {
            if table.isFieldNull(in: strategy) { return nil }
            let name = table.textValue(in: strategy)
            let number = try table.wholeNumber(in: group, range: numbers)
            switch name {
            case "affinity":
                return AffinityGroup(name: "affinity-\(number)", kind: .together, scope: .rack)
            case "anti-affinity":
                return AffinityGroup(name: "anti-affinity-\(number)", kind: .apart())
            case "fault_domain":
                let whole = "fault-domain-\(number)"
                let part = try table.wholeNumber(in: domain, range: numbers)
                return AffinityGroup(
                    name: "\(whole)/\(part)", kind: .partition(of: whole), scope: .rack)
            default:
                throw table.malformedField(
                    in: strategy, expected: "affinity, anti-affinity, fault_domain or nothing")
            }
        }
    }
}
