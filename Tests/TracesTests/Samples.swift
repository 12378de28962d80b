// A small valid trace in each format, and a folder to put it in.

import Foundation
import Host
import Simulation
import Traces

/// A folder that goes when its owner does.
final class TraceFolder {
    let path: String

    init() throws {
        path = NSTemporaryDirectory() + "ferry-traces-\(UUID().uuidString)"
        try Folder.createFolder(at: path)
    }

    deinit { try? Folder.removeRecursively(at: path) }

    func write(_ name: String, _ bytes: [UInt8]) throws {
        try Data(bytes).write(to: URL(fileURLWithPath: "\(path)/\(name)"))
    }

    func write(_ files: [String: String]) throws {
        for (name, text) in files { try write(name, Array(text.utf8)) }
    }
}

struct Sample: CustomStringConvertible {
    var format: TraceFormat
    /// By name; "" is for a trace that is one file, whose path is read.
    var files: [String: String]

    var description: String { format.rawValue }

    /// The name of the file that is read; nil: the folder is.
    var single: String? { files.count == 1 ? files.keys.first : nil }

    func path(in folder: TraceFolder) -> String {
        guard let single, format != .planetLab, format != .bitbrains, !isFolderOfOne
        else { return folder.path }
        return "\(folder.path)/\(single)"
    }

    private var isFolderOfOne: Bool { format == .csv && single == "vms.csv" }

    /// Reads these files from a folder of their own.
    func read(detecting: Bool = false) throws -> Workload {
        let folder = try TraceFolder()
        try folder.write(files)
        return try TraceReader.readWorkload(
            path: path(in: folder), format: detecting ? nil : format)
    }

    /// With one file's text changed.
    func with(_ name: String, _ change: (String) -> String) -> Sample {
        var sample = self
        sample.files[name] = change(files[name] ?? "")
        return sample
    }
}

extension Sample {
    static let csv = Sample(
        format: .csv,
        files: [
            "vms.csv": """
            name,arrival_s,lifetime_s,vcpus,memory_gib,kind,priority,together,apart,labels,initial_host,dirty_mib_per_s
            web-1,0,3600,2,4,web,1,,web:rack web-all:zone:soft=2:max=3,,b,
            web-2,10.5,,2,4,web,1,,web:rack,,,16
            db,10.5,60,0.5,1.5,db,,pair,,ssd disk=fast,,

            """,
            "hosts.csv": """
            name,cores,memory_gib,rack,zone,cpu_overcommit,memory_overcommit,reserved_memory_gib,link_gbit_per_s,labels
            a,16,64,r1,z1,4,1.5,2,25,disk=fast ssd
            b,16,64,r2,z1,,,,,

            """,
            "utilisation.csv": """
            name,age_s,cpu_share,memory_share
            web-1,0,0.5,0.25
            web-1,300,0.75,0.5
            db,0,1,1

            """,
        ])

    static let planetLab = Sample(
        format: .planetLab,
        files: [
            "b_vm": (0..<288).map { "\($0 % 101)\n" }.joined(),
            "A_vm": (0..<288).map { _ in "7\n" }.joined(),
        ])

    static let azureV1 = Sample(
        format: .azureV1,
        files: [
            "requests.csv": """
            id,batch,arrival_s,cores,memory_gib,lifetime_s_min,lifetime_s_max,censored
            0,0,0,8,14.0,300,300,0
            1,0,300,1,1.75,3900,7200,0
            2,1,600,2,3.5,0,0,0
            3,1,900,2,3.5,9900,86400,1
            4,2,7500,2,3.5,300,3600,0

            """
        ])

    static let azurePacking = Sample(
        format: .azurePacking,
        files: [
            "vmType.csv": """
            id,vmTypeId,machineId,core,memory,hdd,ssd,nic
            0,0,7,0.5,0.25,0,0,0.1
            1,1,7,0.013889,0.01,0,0,0.1
            2,1,8,0.25,0.2,,,
            3,2,8,1,1,0,0,0

            """,
            "vm.csv": """
            vmId,tenantId,vmTypeId,priority,starttime,endtime
            0,11,0,0,-2.5,0.5
            1,11,1,1,0.25,
            2,12,2,0,0.5,0.75
            3,12,1,0,1.5,NULL

            """,
        ])

    static let huaweiTopology = Sample(
        format: .huaweiTopology,
        files: [
            "PM_res.csv": "CPU1,RAM1,CPU2,RAM2\n16,32,32,64\n34,68,36,72\n60,202,60,202\n",
            "topology.csv":
                "host_id,rack_id\nhost-0,0.0\nhost-1,0.0\nhost-2,1.0\nhost-3,1.0\n",
            "VM_data_C1.csv": """
            flavor_vcpus,flavor_ram,numa,strategy,group,domain
            8,16,1,fault_domain,0,1
            8,16,1,fault_domain,0,2
            32,64,2,affinity,3,
            32,64,2,affinity,3.0,
            4,8,1,anti-affinity,3,
            2,4,1,,,

            """,
        ])

    static let huaweiEast = Sample(
        format: .huaweiEast,
        files: [
            "east.csv": """
            vmid,cpu,memory,time,type
            1,2,4,0,0
            2,1,1,5,0
            1,2,4,60,1
            9,1,1,61,1
            1,4,8,70,0

            """
        ])

    static let openb = Sample(
        format: .openb,
        files: [
            "openb_node_list_all_node.csv":
                "sn,cpu_milli,memory_mib,gpu,model\nn-0,32000,262144,0,\nn-1,96000,393216,8,G2\n",
            "openb_pod_list_default.csv": """
            name,cpu_milli,memory_mib,num_gpu,gpu_milli,gpu_spec,qos,pod_phase,creation_time,deletion_time,scheduled_time
            p-0,12000,16384,1,1000,,LS,Running,0,100,0
            p-1,500,0,0,0,,BE,Running,10,200,10
            p-2,4000,8192,0,0,,LS,Pending,20,,

            """,
        ])

    static let bitbrains = Sample(
        format: .bitbrains,
        files: [
            "10.csv": header
                + "1376314846;\t4;\t11703;\t117.03;\t1.0;\t8388608;\t838860.8;\t0;\t0;\t0;\t0\n",
            "2.csv": header
                + "1376315146;\t2;\t5851;\t5851;\t100.5;\t1048576;\t524288;\t0;\t0;\t0;\t0\n"
                + "1376315446;\t2;\t5851;\t2925;\t50;\t1048576;\t262144;\t0;\t0;\t0;\t0\n"
                + "1376316346;\t2;\t5851;\t0;\t0;\t1048576;\t0;\t0;\t0;\t0;\t0\n",
            "3.csv": header + "1376314846;\t0;\t0;\t0;\t0;\t0;\t0;\t0;\t0;\t0;\t0\n",
        ])

    private static let header =
        "Timestamp [ms];\tCPU cores;\tCPU capacity provisioned [MHZ];\tCPU usage [MHZ];\tCPU usage [%];\tMemory capacity provisioned [KB];\tMemory usage [KB];\tDisk read throughput [KB/s];\tDisk write throughput [KB/s];\tNetwork received throughput [KB/s];\tNetwork transmitted throughput [KB/s]\n"

    static let all = [
        csv, planetLab, azureV1, azurePacking, huaweiTopology, huaweiEast, openb, bitbrains,
    ]
}
