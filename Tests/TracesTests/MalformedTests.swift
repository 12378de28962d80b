// Broken traces: the error names file, line and field and says what was expected there.

import Foundation
import Host
import Simulation
import Testing
import Traces

/// A change to one file of a sample, and the error that it must bring.
struct Mistake: CustomStringConvertible {
    var sample: Sample
    var file: String
    var old: String
    var new: String
    var line: Int
    var field: String
    /// A part of what is said to be expected.
    var expected: String
    var found: String

    init(
        _ sample: Sample, _ file: String, _ old: String, _ new: String, line: Int,
        field: String = "", expected: String, found: String
    ) {
        (self.sample, self.file, self.old, self.new) = (sample, file, old, new)
        (self.line, self.field) = (line, field)
        (self.expected, self.found) = (expected, found)
    }

    var description: String { "\(sample) \(file): \(old) -> \(new)" }
}

@Suite("Broken traces")
struct MalformedTests {
    static let own: [Mistake] = [
        Mistake(
            .csv, "vms.csv", "arrival_s", "arrival", line: 1, field: "arrival_s",
            expected: "a column arrival_s", found: "name,arrival,lifetime_s"),
        Mistake(
            .csv, "vms.csv", "memory_gib", "memory", line: 1, field: "memory_gib",
            expected: "memory_gib or memory_mib or memory_bytes", found: "name"),
        Mistake(
            .csv, "vms.csv", "web-1,0,", "web-1,-1,", line: 2, field: "arrival_s",
            expected: "seconds from 0", found: "-1"),
        Mistake(
            .csv, "vms.csv", "web-1,0,", "web-1,nan,", line: 2, field: "arrival_s",
            expected: "seconds", found: "nan"),
        Mistake(
            .csv, "vms.csv", "web-1,0,", "web-1,inf,", line: 2, field: "arrival_s",
            expected: "seconds", found: "inf"),
        Mistake(
            .csv, "vms.csv", "web-1,0,", "web-1,0x10,", line: 2, field: "arrival_s",
            expected: "seconds", found: "0x10"),
        Mistake(
            .csv, "vms.csv", "web-1,0,", "web-1,1e999,", line: 2, field: "arrival_s",
            expected: "seconds", found: "1e999"),
        Mistake(
            .csv, "vms.csv", "web-1,0,", "web-1,,", line: 2, field: "arrival_s",
            expected: "seconds", found: ""),
        Mistake(
            .csv, "vms.csv", "web-1,0,", "web-1,1.2.3,", line: 2, field: "arrival_s",
            expected: "seconds", found: "1.2.3"),
        Mistake(
            .csv, "vms.csv", "3600", "-3600", line: 2, field: "lifetime_s",
            expected: "seconds from 0", found: "-3600"),
        Mistake(
            .csv, "vms.csv", "3600,2,4", "3600,0,4", line: 2, field: "vcpus",
            expected: "CPUs above 0", found: "0"),
        Mistake(
            .csv, "vms.csv", "3600,2,4", "3600,99999999999,4", line: 2, field: "vcpus",
            expected: "CPUs above 0: from 0 to 1048576", found: "99999999999"),
        Mistake(
            .csv, "vms.csv", "3600,2,4", "3600,2,0", line: 2, field: "memory_gib",
            expected: "memory above 0", found: "0"),
        Mistake(
            .csv, "vms.csv", "3600,2,4", "3600,2,1048577", line: 2, field: "memory_gib",
            expected: "to 1048576", found: "1048577"),
        Mistake(
            .csv, "vms.csv", "web,1,,web:rack,", "web,99999,,web:rack,", line: 3,
            field: "priority", expected: "-32768 to 32767", found: "99999"),
        Mistake(
            .csv, "vms.csv", "web-2", "web-1", line: 3, field: "name",
            expected: "a name that no other VM has", found: "web-1"),
        Mistake(
            .csv, "vms.csv", "web-2", "", line: 3, field: "name",
            expected: "a name that no other VM has", found: ""),
        Mistake(
            .csv, "vms.csv", "web:rack web-all", "web:room web-all", line: 2, field: "apart",
            expected: "NAME[:host|rack|zone]", found: "web:room web-all:zone:soft=2:max=3"),
        Mistake(
            .csv, "vms.csv", "max=3", "max=0", line: 2, field: "apart", expected: "groups as",
            found: "web:rack web-all:zone:soft=2:max=0"),
        Mistake(
            .csv, "vms.csv", "soft=2", "soft=inf", line: 2, field: "apart", expected: "groups as",
            found: "web:rack web-all:zone:soft=inf:max=3"),
        Mistake(
            .csv, "vms.csv", "pair,", "pair:max=2,", line: 4, field: "together",
            expected: "groups as", found: "pair:max=2"),
        Mistake(
            .csv, "vms.csv", "pair,", "web,", line: 4, field: "together",
            expected: "group web to be the same", found: "web"),
        Mistake(
            .csv, "vms.csv", "0.5,1.5,db", "0.5,1.5", line: 4, expected: "12 fields", found: "11"),
        Mistake(
            .csv, "vms.csv", "0.5,1.5,db", "0.5,1.5,db,1,1", line: 4, expected: "12 fields",
            found: "14"),
        Mistake(
            .csv, "vms.csv", "web-2,", "\"web-2,", line: 3, expected: "a quote that closes",
            found: "the end of the file"),
        Mistake(
            .csv, "vms.csv", "web-2,", "\"web\"-2,", line: 3,
            expected: "the end of the field behind its closing quote", found: "more"),
        Mistake(
            .csv, "hosts.csv", "a,16", "b,16", line: 3, field: "name",
            expected: "a name that no other host has", found: "b"),
        Mistake(
            .csv, "hosts.csv", "a,16", "a,none", line: 2, field: "cores", expected: "CPUs above 0",
            found: "none"),
        Mistake(
            .csv, "hosts.csv", "1.5,2,25", "1.5,65,25", line: 2, field: "reserved_memory_gib",
            expected: "no more than the host has", found: "65"),
        Mistake(
            .csv, "hosts.csv", "4,1.5", "0,1.5", line: 2, field: "cpu_overcommit",
            expected: "a factor from 0.01 to 1000", found: "0"),
        Mistake(
            .csv, "hosts.csv", "2,25", "2,0", line: 2, field: "link_gbit_per_s", expected: "Gbit/s",
            found: "0"),
        Mistake(
            .csv, "utilisation.csv", "db,0", "dc,0", line: 4, field: "name",
            expected: "a VM of vms.csv", found: "dc"),
        Mistake(
            .csv, "utilisation.csv", "web-1,0", "web-1,5", line: 2, field: "age_s",
            expected: "0: a VM's first sample", found: "5"),
        Mistake(
            .csv, "utilisation.csv", "300,", "0,", line: 3, field: "age_s",
            expected: "equal distances", found: "0"),
        Mistake(
            .csv, "utilisation.csv", "db,0,1,1\n", "web-1,500,1,1\n", line: 4, field: "age_s",
            expected: "equal distances", found: "500"),
        Mistake(
            .csv, "utilisation.csv", "db,0,1,1\n", "db,0,1,1\nweb-1,600,1,1\n", line: 5,
            field: "name", expected: "rows of one VM together", found: "web-1"),
        Mistake(
            .csv, "utilisation.csv", "0.75", "75", line: 3, field: "cpu_share",
            expected: "a share from 0 to 1", found: "75"),
        Mistake(
            .csv, "utilisation.csv", "0.75,0.5", "0.75,-0.5", line: 3, field: "memory_share",
            expected: "a share", found: "-0.5"),
        Mistake(
            .csv, "vms.csv", ",,b,", ",,c,", line: 2, field: "initial_host",
            expected: "a host of hosts.csv", found: "c"),
        Mistake(
            .csv, "vms.csv", "web:rack,,,16", "web:rack,,a,16", line: 3, field: "initial_host",
            expected: "it does not arrive at 0", found: "a"),
        Mistake(
            .csv, "vms.csv", ",16", ",-16", line: 3, field: "dirty_mib_per_s",
            expected: "MiB/s from 0", found: "-16"),
    ]

    static let published: [Mistake] = [
        Mistake(
            .azureV1, "requests.csv", "1,0,300,1,", "1,0,300,x,", line: 3, field: "cores",
            expected: "CPUs above 0", found: "x"),
        Mistake(
            .azureV1, "requests.csv", "\n1,0,", "\n0,0,", line: 3, field: "id",
            expected: "an id that no other row has", found: "0"),
        Mistake(
            .azureV1, "requests.csv", "3900,7200", "7200,3900", line: 3, field: "lifetime_s_max",
            expected: "lifetime_s_min or more: from 7200", found: "3900"),
        Mistake(
            .azureV1, "requests.csv", "86400,1", "86400,2", line: 5, field: "censored",
            expected: "0 or 1", found: "2"),
        Mistake(
            .azureV1, "requests.csv", "0,0,0,8", "99999999999999999999,0,0,8", line: 2, field: "id",
            expected: "a whole number", found: "99999999999999999999"),
        Mistake(
            .azureV1, "requests.csv", "0,0,0,8", "0,2147483647,0,8", line: 2, field: "batch",
            expected: "to 2147483646", found: "2147483647"),
        Mistake(
            .azurePacking, "vmType.csv", "1,1,7", "1,0,7", line: 3, field: "vmTypeId",
            expected: "a VM type once for each machine", found: "0"),
        Mistake(
            .azurePacking, "vmType.csv", "0.5,0.25", "1.5,0.25", line: 2, field: "core",
            expected: "a share from 0 to 1", found: "1.5"),
        Mistake(
            .azurePacking, "vm.csv", "3,12,1", "3,12,9", line: 5, field: "vmTypeId",
            expected: "a VM type of the other table", found: "9"),
        Mistake(
            .azurePacking, "vm.csv", "0.5,0.75", "0.5,0.25", line: 4, field: "endtime",
            expected: "no earlier than starttime", found: "0.25"),
        Mistake(
            .azurePacking, "vm.csv", "-2.5", "-1e9", line: 2, field: "starttime",
            expected: "days from -36500", found: "-1e9"),
        Mistake(
            .huaweiTopology, "PM_res.csv", "34,68", "34,-68", line: 3, field: "RAM1",
            expected: "a whole number from 0", found: "-68"),
        Mistake(
            .huaweiTopology, "PM_res.csv", "60,202\n", "60,202\n1,1,1,1\n1,1,1,1\n", line: 6,
            expected: "host-4 in topology.csv", found: ""),
        Mistake(
            .huaweiTopology, "topology.csv", "host-2", "host-1", line: 4, field: "host_id",
            expected: "a host that no other row has", found: "host-1"),
        Mistake(
            .huaweiTopology, "topology.csv", "host-2,1.0", "host-2,1.5", line: 4, field: "rack_id",
            expected: "a whole number", found: "1.5"),
        Mistake(
            .huaweiTopology, "VM_data_C1.csv", "anti-affinity", "nearby", line: 6,
            field: "strategy", expected: "affinity, anti-affinity, fault_domain or nothing",
            found: "nearby"),
        Mistake(
            .huaweiTopology, "VM_data_C1.csv", "fault_domain,0,2", "fault_domain,0,", line: 3,
            field: "domain", expected: "a whole number", found: ""),
        Mistake(
            .huaweiTopology, "VM_data_C1.csv", "2,4,1,,,", "2,4,3,,,", line: 7, field: "numa",
            expected: "NUMA nodes from 1 to 2", found: "3"),
        Mistake(
            .huaweiEast, "east.csv", "2,1,1,5,0", "1,1,1,5,0", line: 3, field: "vmid",
            expected: "a VM that does not run yet", found: "1"),
        Mistake(
            .huaweiEast, "east.csv", "60,1", "60,7", line: 4, field: "type", expected: "0 or 1",
            found: "7"),
        Mistake(
            .openb, "openb_pod_list_default.csv", "10,200", "10,9", line: 3, field: "deletion_time",
            expected: "no earlier than creation_time", found: "9"),
        Mistake(
            .openb, "openb_pod_list_default.csv", "p-1", "p-0", line: 3, field: "name",
            expected: "a name that no other pod has", found: "p-0"),
        Mistake(
            .openb, "openb_node_list_all_node.csv", "n-1", "n-0", line: 3, field: "sn",
            expected: "a name that no other node has", found: "n-0"),
        Mistake(
            .bitbrains, "2.csv", "1376315446", "1376315140", line: 3, field: "Timestamp [ms]",
            expected: "no earlier than the row before", found: "1376315140"),
        Mistake(
            .bitbrains, "2.csv", "50;", "fifty;", line: 3, field: "CPU usage [%]",
            expected: "percent", found: "fifty"),
        Mistake(
            .bitbrains, "2.csv", "CPU cores", "Cores", line: 1, field: "CPU cores",
            expected: "a column CPU cores", found: "timestamp [ms],cores"),
        Mistake(
            .planetLab, "b_vm", "\n77\n", "\n177\n", line: 78, field: "cpu", expected: "0 to 100",
            found: "177"),
    ]

    @Test(arguments: own + published)
    func `A mistake is told with its place and what was expected`(mistake: Mistake) throws {
        let broken = mistake.sample.with(mistake.file) {
            guard let range = $0.range(of: mistake.old) else { return $0 }
            return $0.replacingCharacters(in: range, with: mistake.new)
        }
        #expect(broken.files != mistake.sample.files, "the mistake is in the sample")
        let folder = try TraceFolder()
        try folder.write(broken.files)
        let error = self.error(at: broken.path(in: folder), broken.format)
        guard case .malformed(let place, let expected, let found)? = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(place.file == "\(folder.path)/\(mistake.file)")
        #expect(place.line == mistake.line && place.field == mistake.field, "\(place)")
        #expect(expected.contains(mistake.expected), "\(expected)")
        #expect(found.hasPrefix(mistake.found) && found.utf8.count <= 43, "\(found)")
    }

    /// Nil when it can be read.
    private func error(at path: String, _ format: TraceFormat? = nil) -> TraceError? {
        do throws(TraceError) {
            _ = try TraceReader.readWorkload(path: path, format: format)
            return nil
        } catch { return error }
    }

    private func error(_ files: [String: String], _ format: TraceFormat? = nil) throws
        -> TraceError?
    {
        let folder = try TraceFolder()
        try folder.write(files)
        let path = files.count == 1 ? "\(folder.path)/\(files.keys.first ?? "")" : folder.path
        return self.error(at: path, format)
    }

    @Test func `A VM that leaves before it comes is refused`() throws {
        let text = "arrival_s,departure_s,vcpus,memory_gib\n10,9.5,1,1\n"
        let error = try self.error(["t.csv": text])
        guard case .malformed(let place, let expected, "9.5")? = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(place.line == 2 && place.field == "departure_s")
        #expect(expected == "seconds, no earlier than its arrival")
        #expect(
            "\(error.map { "\($0)" } ?? "")".hasSuffix(
                "t.csv:2, field departure_s: expected seconds, no earlier than its arrival, found \"9.5\""
            ))
    }

    @Test(arguments: ["", "\n\n", "\u{FEFF}"])
    func `An empty file has no header`(text: String) throws {
        for format in [nil, TraceFormat.csv, .azureV1, .huaweiEast] {
            guard case .malformed(_, "a header", "")? = try self.error(["t.csv": text], format)
            else {
                Issue.record("\(String(describing: format))")
                continue
            }
        }
    }

    @Test func `A header alone has no VMs`() throws {
        let error = try self.error(["t.csv": "arrival_s,vcpus,memory_gib\n"])
        guard case .malformed(_, "at least one VM", "")? = error else {
            Issue.record("\(String(describing: error))")
            return
        }
    }

    @Test func `What is in no format is said to be in none, with the formats that there are`()
        throws
    {
        for files in [["t.csv": "a,b,c\n1,2,3\n"], ["x": "hello", "y": "world"]] {
            let error = try self.error(files)
            guard case .unknownFormat(_, let known)? = error else {
                Issue.record("\(String(describing: error))")
                continue
            }
            #expect(known == TraceFormat.allCases.map(\.rawValue))
        }
    }

    @Test func `A folder is no file, a file no folder, and a missing one is told by name`() throws {
        let folder = try TraceFolder()
        try folder.write(["t.csv": "1\n"])
        for format in [TraceFormat.azureV1, .huaweiEast, .azurePacking] {
            #expect(throws: TraceError.self) {
                try TraceReader.readWorkload(path: folder.path, format: format)
            }
        }
        #expect(throws: TraceError.self) {
            try TraceReader.readWorkload(path: "\(folder.path)/t.csv", format: .planetLab)
        }
        let error = self.error(at: "\(folder.path)/none.csv")
        guard case .unreadable(let file, let cause)? = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(file.hasSuffix("none.csv") && cause.isNoEntry)
    }

    @Test func `Of several request files of one set, one must be named`() throws {
        var sample = Sample.huaweiTopology
        sample.files["VM_data_C2.csv"] = sample.files["VM_data_C1.csv"]
        let folder = try TraceFolder()
        try folder.write(sample.files)
        let error = self.error(at: folder.path)
        guard case .malformed(_, let expected, let found)? = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(expected.contains("give the path of one"))
        #expect(found == "VM_data_C1.csv VM_data_C2.csv")
        let one = try TraceReader.readWorkload(path: "\(folder.path)/VM_data_C2.csv")
        #expect(one.requests.count == 6 && one.hosts.count == 3)
    }

    @Test func `A field without end is refused before it is kept`() throws {
        let long = String(repeating: "9", count: 70_000)
        let error = try self.error(["t.csv": "arrival_s,vcpus,memory_gib\n\(long),1,1\n"])
        guard case .malformed(_, "fields of at most 65536 bytes", _)? = error else {
            Issue.record("\(String(describing: error))")
            return
        }
    }
}
