// Where a report goes, and as what.

import ArgumentParser
import Host
import SimulationReport

enum ReportOutput: String, CaseIterable, ExpressibleByArgument {
    case table, json, csv

    /// How failures are told.
    var errors: OutputFormat { self == .json ? .json : .text }
}

struct ReportOptions: ParsableArguments {
    @Option(
        name: [.customShort("o"), .customLong("output")],
        help: "table, json or csv (default: table).")
    var givenOutput: ReportOutput?
    @Option(
        help: ArgumentHelp(
            "Write to this file instead of standard output: whole or not at all.",
            valueName: "file"), completion: .file())
    var to: String?
    @Option(
        help: ArgumentHelp(
            "Write a page with tables and charts too; it needs no network.", valueName: "file"),
        completion: .file(extensions: ["html"]))
    var html: String?

    var output: ReportOutput { givenOutput ?? .table }
    var isOutputGiven: Bool { givenOutput != nil }

    /// Before a long run: what cannot be written is better said at once.
    func checkOutputPaths() throws {
        for file in [to, html].compactMap({ $0 }) {
            let path = CurrentCluster.absolutePath(for: file)
            let folder = Folder.parentFolder(ofPath: path)
            guard Folder.isPresent(at: folder) else {
                throw CommandFailure(
                    .failed, code: "unwritable",
                    message: "cannot write \(file): there is no folder \(folder)")
            }
            if Folder.isPresent(at: path) {
                throw CommandFailure(
                    .failed, code: "unwritable", message: "cannot write \(file): it is a folder")
            }
        }
    }

    /// - Parameter words: stand before the table, if there are any.
    func writeComparison(_ comparison: Comparison, introduction words: String = "") throws {
        try writeReport(
            table: words.isEmpty ? comparison.text : "\(words)\n\n\(comparison.text)",
            json: comparison.json.text, csv: comparison.csv,
            html: comparison.html)
    }

    func writeReport(
        table: @autoclosure () -> String, json: @autoclosure () -> String,
        csv: @autoclosure () -> String, html page: @autoclosure () -> String
    ) throws {
        if let html { try Self.writeAtomically(Array(page().utf8), to: html) }
        let text =
            switch output {
            case .table: table() + "\n"
            case .json: json()
            case .csv: csv()
            }
        try writeOutput(bytes: Array(text.utf8))
    }

    /// To the file that was named, else to standard output.
    func writeOutput(bytes: [UInt8]) throws {
        guard let to else { return try StandardStreams.writeBytes(bytes) }
        try Self.writeAtomically(bytes, to: to)
    }

    private static func writeAtomically(_ bytes: [UInt8], to file: String) throws {
        do { try AtomicFile.writeBytes(bytes, to: CurrentCluster.absolutePath(for: file)) } catch {
            throw CommandFailure(
                .failed, code: "unwritable", message: "cannot write \(file): \(error)")
        }
    }
}
