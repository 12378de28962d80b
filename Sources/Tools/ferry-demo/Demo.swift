// The main job, shown: a local cluster with a controller, eight running VMs that it levels and drains a host of, and what
// each move cost.

import API
import ArgumentParser
import Clients
import Foundation
import Host
import Model
import Testbed

@main
struct Demo: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ferry-demo",
        abstract:
            "Starts a local cluster, levels its load, drains a host, and brings its VMs back.",
        discussion: "Run it by Scripts/demo, from the folder of the sources.")

    @Option(help: "The cluster file, with a controller and three hosts.")
    var cluster = "cluster-configs/local-3.yaml"
    @Option(help: "The memory of each VM.", transform: Demo.parseMemorySize)
    var memory = ByteCount.mebibytes(128)

    func run() async throws {
        let folder = FileManager.default.currentDirectoryPath
        guard try await !LocalCluster.isClusterRunning(file: cluster, folder: folder) else {
            throw TestbedError(
                "the cluster of \(cluster) is running: `ferry down` it, then run the demo")
        }
        try printLine("$ ferry up \(cluster)")
        let cluster = try await LocalCluster.startCluster(file: cluster, folder: folder)
        do {
            let story = try DemoScenario(on: cluster, memory: memory)
            // A demo that was interrupted leaves its VMs.
            try await story.deleteGuests()
            try await story.runScenario()
            try await story.deleteGuests()
            try printLine("$ ferry down")
            try await cluster.tearDown()
            try story.checkOutcome()
        } catch {
            // What was started is stopped whatever went wrong; the first error is the one to tell.
            try? await cluster.tearDown()
            throw error
        }
    }

    @Sendable private static func parseMemorySize(from text: String) throws -> ByteCount {
        guard let size = ByteCount(text), size >= .mebibytes(64) else {
            throw ValidationError("'\(text)' is no size of 64MiB or more: write 128MiB or 1GiB")
        }
        return size
    }
}

/// Not buffered: what this program and `ferry` say must stay in order, also in a file.
func printLine(_ text: String) throws {
    try StandardStreams.writeBytes(Array("\(text)\n".utf8), toDescriptor: 1)
}
