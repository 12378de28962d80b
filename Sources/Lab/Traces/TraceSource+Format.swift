// Which format a trace is in, by what stands in it: the names in a folder, the header of a file.

import Host

extension TraceSource {
    func detectedFormat() throws(TraceError) -> TraceFormat {
        let format =
            isFolder
            ? try folderFormat()
            : try Self.detectFormat(openingTable: openTable, bytes: bytes ?? [])
        guard let format else {
            throw .unknownFormat(path: path, known: TraceFormat.allCases.map(\.rawValue))
        }
        return format
    }

    private func folderFormat() throws(TraceError) -> TraceFormat? {
        let known = Set(names.map { $0.lowercased() })
        if known.contains(FerryCSV.vmsFile) { return .csv }
        if known.contains("vmtype.csv") { return .azurePacking }
        if known.contains("pm_res.csv") { return .huaweiTopology }
        if names.contains(where: { $0.hasPrefix(OpenB.podsPrefix) }) { return .openb }
        guard let first = names.first(where: { !Folder.isPresent(at: path + "/" + $0) }) else {
            return nil
        }
        let bytes = try Self.readBytes(ofFile: path + "/" + first)
        if Self.hasOnlyPercentages(in: bytes) { return .planetLab }
        let format = try Self.detectFormat(
            openingTable: { separator throws(TraceError) in
                try CSVTable(file: path + "/" + first, bytes: bytes, separator: separator)
            }, bytes: bytes)
        return format == .bitbrains ? .bitbrains : nil
    }

    private static func detectFormat(
        openingTable table: (UInt8) throws(TraceError) -> CSVTable, bytes: [UInt8]
    ) throws(TraceError) -> TraceFormat? {
        let commas = try table(.comma)
        for (format, columns) in signatures where columns.allSatisfy(commas.hasColumn) {
            return format
        }
        let semicolons = try table(.semicolon)
        return Bitbrains.signature.allSatisfy(semicolons.hasColumn) ? .bitbrains : nil
    }

    /// The first whose columns are all there.
    private static let signatures: [(TraceFormat, [String])] = [
        (.azureV1, ["arrival_s", "lifetime_s_min", "censored"]),
        (.azurePacking, ["vmTypeId", "starttime", "endtime"]),
        (.huaweiTopology, ["flavor_vcpus", "flavor_ram", "strategy"]),
        (.huaweiEast, ["vmid", "cpu", "memory", "time", "type"]),
        (.openb, ["cpu_milli", "memory_mib", "creation_time"]),
        (.csv, ["arrival_s", "vcpus"]),
    ]

    /// Lines of digits alone.
    private static func hasOnlyPercentages(in bytes: [UInt8]) -> Bool {
        let part = bytes.prefix(Limits.detectionBytesMax)
        return !part.isEmpty
            && part.allSatisfy {
                (0x30...0x39).contains($0) || $0 == .lineFeed || $0 == .carriageReturn
                    || $0.isBlank
            }
    }
}
