// The front door: a path in any known format becomes a workload.

package import Simulation

package enum TraceReader {
    /// Reads a file or folder.
    ///
    /// - Parameter format: nil: told by its content, see `TraceSource.detectedFormat`.
    /// - Throws: where it is wrong and what was expected there; bad content never traps.
    package static func read(
        path: String, format: TraceFormat? = nil
    ) throws(TraceError) -> Workload {
        let source = try TraceSource(path)
        let known = if let format { format } else { try source.detectedFormat() }
        switch known {
        case .csv: return try FerryCSV.read(source)
        case .planetLab: return try PlanetLabTrace.read(source)
        case .azureV1: return try AzureRequests.read(source)
        case .azurePacking: return try AzurePacking.read(source)
        case .huaweiTopology: return try HuaweiTopology.read(source)
        case .huaweiEast: return try HuaweiEast.read(source)
        case .openb: return try OpenB.read(source, countsGPUPods: false)
        case .openbAll: return try OpenB.read(source, countsGPUPods: true)
        case .bitbrains: return try Bitbrains.read(source)
        }
    }

    /// The format that the content of a path tells.
    package static func detect(path: String) throws(TraceError) -> TraceFormat {
        try TraceSource(path).detectedFormat()
    }
}
