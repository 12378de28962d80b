// ferry record: writes down what a cluster does, so that it can be done again under another policy.

import API
import ArgumentParser
import Clients
import ClusterText
import Foundation
import History
import Host
import Model

struct Record: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract:
            "Writes hosts, VMs, placements, load and migrations to a file; needs a controller.",
        discussion: """
            The file is a history for `ferry simulate --what-if`. A line is written when something changes; of \
            load, when it has changed by more than a small step since it was last written. A file that is there \
            is gone on with when it is a history of this cluster. While no controller answers, it waits; what is \
            not known of that time is written as a gap. Ctrl-C or SIGTERM ends it in good order; a recorder that \
            is killed leaves a file that can be read. A viewer's token is enough.

            Example:
              ferry record --to monday.jsonl --for 24h
              ferry simulate --what-if monday.jsonl --policy best-fit
            """)

    @Option(help: ArgumentHelp("The file to write.", valueName: "file"), completion: .file())
    var to: String
    @Option(
        name: .customLong("for"),
        help: ArgumentHelp("End after this time (default: at Ctrl-C).", valueName: "time"),
        transform: parseDuration)
    var duration: Duration?
    @Option(
        help: ArgumentHelp("Read load this often.", valueName: "time"),
        transform: parseDuration)
    var every = Duration.seconds(10)
    @OptionGroup var cluster: ClusterOptions
    @OptionGroup var output: OutputOptions

    func validate() throws {
        guard Self.everyBounds.contains(every) else {
            throw ValidationError("--every must be 1s to 1h")
        }
        if let duration, duration < .seconds(1) {
            throw ValidationError("--for must be 1s or more")
        }
    }

    private static let everyBounds = Duration.seconds(1)...Duration.seconds(3600)

    func run() async throws {
        try await Session.withConnection(to: cluster, reporting: output) { session in
            let controller = try session.requireController(for: "ferry record")
            let recorder = try await Recorder(from: controller, file: to, every: every)
            await printErrorLine("ferry: \(recorder.startNote)")
            let summary = try await recordHistory(with: recorder)
            try output.printResult(summary, text: summary.text)
        }
    }

    /// Records until the time is over or a signal comes; the file is ended whatever happens.
    private func recordHistory(with recorder: Recorder) async throws -> RecordSummary {
        do {
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await recorder.followEvents() }
                group.addTask { try await recorder.readLoads() }
                group.addTask { await Interrupt.waitForSignal() }
                if let duration { group.addTask { try await Task.sleep(for: duration) } }
                // The first to end says that it is over.
                defer { group.cancelAll() }
                try await group.next()
            }
        } catch {
            // What ended it is the error to tell.
            _ = try? await recorder.finishRecording()
            throw error
        }
        return try await recorder.finishRecording()
    }
}

struct RecordSummary: Encodable {
    var file: String
    var seconds: Double
    /// Written by this recorder.
    var lines: Int
    var bytes: Int
    var hosts: Int
    var vms: Int
    var migrations: Int
    var gaps: Int

    var text: String {
        """
        recorded \(hosts) hosts and \(vms) VMs for \(durationText(milliseconds: seconds * 1000)): \
        \(lines) lines, \(byteCountText(for: UInt64(bytes))) in \(file); \
        \(migrations) migrations\(gaps > 0 ? ", \(gaps) gaps" : "")
        """
    }
}
