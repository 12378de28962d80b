// Ferry and QEMU move the same guest on the same machine, in turns, and the medians are compared.

import ArgumentParser
import Foundation
import Host
import Model
import Pulse
import Testbed

@main
struct Bench: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ferry-bench",
        abstract:
            "Measures migrations by Ferry and by QEMU, interleaved, and prints medians and ratios.",
        discussion: """
            Every round runs each contestant once: start the guest, let it fill its memory and settle, move it, watch \
            it for a while. Run it by Scripts/bench on a machine that does nothing else.
            """)

    @Option(help: "How often each contestant runs.") var pairs = 5
    @Option(help: "The guest's memory.", transform: Bench.parseByteCount) var memory =
        ByteCount.gibibytes(1)
    @Option(help: "Memory that the guest fills.", transform: Bench.parseByteCount)
    var fill = ByteCount.mebibytes(768)
    @Option(help: "Memory that it keeps writing.", transform: Bench.parseByteCount)
    var workingSet = ByteCount.mebibytes(64)
    @Option(help: "Pages that it writes a second.") var rate = 2000
    @Option(help: "What the pages hold: zero, text, random or mixed.") var content = "text"
    @Option(help: "The longest pause allowed, in milliseconds.") var downtimeLimit = 300
    @Option(help: "Another guest: an ELF file with a PVH note that understands pulse's options.")
    var guest: String?
    @Option(
        help: "Only these contestants, by name.",
        transform: { $0.split(separator: ",").map(String.init) })
    var only: [String] = []
    @Flag(help: "Print every measurement as JSON instead of the table.") var json = false

    func run() async throws {
        let load = try makeGuestLoad()
        let all: [any Contestant] = FerryContestant.all + QEMUContestant.all
        let contestants = only.isEmpty ? all : all.filter { only.contains($0.name) }
        var results: [String: [Measurement]] = [:]
        for round in 1...max(1, pairs) {
            for contestant in contestants {
                let measurement = try await measureMigration(by: contestant, under: load)
                results[contestant.name, default: []].append(measurement)
                reportProgress(
                    "round \(round) of \(pairs): \(contestant.name) \(measurement.summary)")
            }
        }
        if json {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
            print(String(decoding: try encoder.encode(results), as: UTF8.self))
        } else {
            print(BenchTable(names: contestants.map(\.name), results: results).text)
        }
    }

    private func measureMigration(by contestant: any Contestant, under load: Load) async throws
        -> Measurement
    {
        let folder = FileManager.default.temporaryDirectory.path + "/ferry-bench-\(UUID())"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        return try await contestant.measureMigration(under: load, folder: folder)
    }

    private func makeGuestLoad() throws -> Load {
        guard let content = PulseOptions.Content(rawValue: content) else {
            throw ValidationError("'\(content)' is no content: use zero, text, random or mixed")
        }
        guard let path = guest ?? PulseImage.path else {
            throw ValidationError("the pulse guest is not beside this program")
        }
        let options = PulseOptions(
            fillBytes: Int(fill.bytes), workingSetBytes: Int(workingSet.bytes),
            rate: .pagesPerSecond(rate), content: content, period: .milliseconds(10))
        return Load(
            guestPath: path, commandLine: try options.commandLine(), memory: memory,
            downtimeLimitMs: downtimeLimit, settle: .seconds(1))
    }

    private func reportProgress(_ text: String) {
        FileHandle.standardError.write(Data((text + "\n").utf8))
    }

    @Sendable private static func parseByteCount(from text: String) throws -> ByteCount {
        guard let size = ByteCount(text) else {
            throw ValidationError("'\(text)' is not a size: write 64MiB or 1GiB")
        }
        return size
    }
}
