// Every trace format by its name: what `--format` takes and the documentation lists.

package enum TraceFormat: String, CaseIterable, Sendable {
    /// Ferry's own CSV: one file of VMs, or a folder with `vms.csv`, `hosts.csv` and `utilisation.csv`.
    case csv
    /// A folder with one file of CPU percentages for each VM.
    case planetLab = "planetlab"
    /// Requests of Azure's 2017 trace with bounds on their lifetimes.
    case azureV1 = "azure-v1"
    /// Azure's trace for packing of 2020: tables of VMs and of VM types.
    case azurePacking = "azure-packing-2020"
    /// Huawei's servers, racks, and requests with groups.
    case huaweiTopology = "huawei-topology"
    /// Creations and deletions in Huawei's East China region.
    case huaweiEast = "huawei-east-1"
    /// Alibaba's nodes and pods: those pods that need no GPU.
    case openb
    /// Alibaba's nodes and pods: all pods, by their CPU and memory alone.
    case openbAll = "openb-all"
    /// GWA-T-12: a folder with one file for each VM of Bitbrains.
    case bitbrains

    package var summary: String {
        switch self {
        case .csv: "Ferry's own: arrivals, shapes, departures; groups, hosts and use if there are"
        case .planetLab: "folder of CPU percentages, one file a VM, one line each 300 s"
        case .azureV1: "requests of Azure's 2017 trace, with lifetimes between bounds"
        case .azurePacking:
            "Azure's trace for packing of 2020 as CSV: folder with vm.csv and vmType.csv"
        case .huaweiTopology: "Huawei's servers, racks, and requests with groups"
        case .huaweiEast: "Huawei-East-1: creations and deletions"
        case .openb: "Alibaba's nodes and the pods that need no GPU"
        case .openbAll: "Alibaba's nodes and all pods, by CPU and memory alone"
        case .bitbrains: "GWA-T-12: folder of one CSV a VM, between semicolons"
        }
    }
}
