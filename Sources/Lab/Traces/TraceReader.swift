// The front door: a path in any known format becomes a workload.

package import Simulation

package enum TraceReader {
    /// Reads a file or folder.
    ///
    /// - Parameter format: nil: told by its content, see `TraceSource.detectedFormat`.
    /// - Throws: where it is wrong and what was expected there; bad content never traps.
    package static func readWorkload(
        path: String, format: TraceFormat? = nil
    ) throws(TraceError) -> Workload {
        let source = try TraceSource(path)
        let known = if let format { format } else { try source.detectedFormat() }
        switch known {
        case .csv: return try FerryCSV.readWorkload(from: source)
        case .planetLab: return try PlanetLabTrace.readWorkload(from: source)
        case .azureV1: return try AzureRequests.readWorkload(from: source)
        case .azurePacking: return try AzurePacking.readWorkload(from: source)
        case .huaweiTopology: return try HuaweiTopology.readWorkload(from: source)
        case .huaweiEast: return try HuaweiEast.readWorkload(from: source)
        case .openb: return try OpenB.readWorkload(from: source, countsGPUPods: false)
        case .openbAll: return try OpenB.readWorkload(from: source, countsGPUPods: true)
        case .bitbrains: return try Bitbrains.readWorkload(from: source)
        }
    }

    /// The format that the content of a path tells.
    package static func detectFormat(path: String) throws(TraceError) -> TraceFormat {
        try TraceSource(path).detectedFormat()
    }
}
