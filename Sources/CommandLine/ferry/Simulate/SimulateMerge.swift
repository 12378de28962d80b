// ferry simulate merge: the parts of a sweep become its report.

import ArgumentParser
import Host
import SimulationReport

struct SimulateMerge: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "merge",
        abstract: "Puts together what `ferry simulate compare --shard` wrote.",
        discussion: """
            The files may come in any order. Parts of different sweeps, runs that are missing and runs that are \
            there twice are refused by name. The report has the same bytes as that of the whole sweep.

            Example:
              ferry simulate merge part-*.json --output csv --html report.html
            """)

    @Argument(help: "The shard files.", completion: .file(extensions: ["json"]))
    var files: [String]
    @OptionGroup(title: "Output") var report: ReportOptions

    func validate() throws {
        guard files.count <= SimulationLimits.shardFilesMax else {
            throw ValidationError("more than \(SimulationLimits.shardFilesMax) files")
        }
    }

    func run() async throws {
        try await reportFailures(as: report.output.errors) {
            try report.checkOutputPaths()
            let shards = try files.map { file in
                (file: file, shard: try Self.readShardFile(at: file))
            }
            let comparison: Comparison
            do { comparison = try Comparison(merging: shards) } catch {
                throw CommandFailure(.refused, code: "bad_input", message: "\(error)")
            }
            try report.writeComparison(comparison)
        }
    }

    private static func readShardFile(at file: String) throws -> Shard {
        let bytes: [UInt8]
        do {
            bytes = try File.readContents(
                at: CurrentCluster.absolutePath(for: file), limit: Shard.bytesMax)
        } catch {
            throw CommandFailure(
                .failed, code: "unreadable", message: "cannot read \(file): \(error)")
        }
        do { return try Shard(decoding: bytes, file: file) } catch {
            throw CommandFailure(.refused, code: "bad_input", message: "\(error)")
        }
    }
}
