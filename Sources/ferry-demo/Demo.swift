// The main job, shown: a local cluster, a running VM that moves a → b → c → a, and what it cost.

import API
import ArgumentParser
import Client
import Foundation
import Host
import Model
import Pulse
import Testbed

@main
struct Demo: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ferry-demo",
        abstract: "Starts a local cluster and moves a running VM around it.",
        discussion: "Run it by Scripts/demo, from the folder of the sources.")

    @Option(help: "The cluster file; its hosts are visited in order, and then the first again.")
    var cluster = "cluster-configs/local-3.yaml"
    @Option(help: "The VM's memory.", transform: Demo.size)
    var memory = ByteCount.mebibytes(512)

    private static let vm = "demo"
    private static let heartbeatPeriod = Duration.milliseconds(20)

    func run() async throws {
        let folder = FileManager.default.currentDirectoryPath
        guard try await !LocalCluster.isUp(file: cluster, in: folder) else {
            throw TestbedError(
                "the cluster of \(cluster) is running: `ferry down` it, then run the demo")
        }
        try show("ferry up \(cluster)")
        let cluster = try await LocalCluster.start(file: cluster, in: folder)
        do {
            // A demo that was interrupted leaves its VM.
            try await cluster.deleteEverywhere(try VMName(Self.vm))
            let moves = try await moveAround(cluster)
            try Self.say("\n" + DemoTable(moves).text)
            try show("ferry vm delete \(Self.vm)")
            try await cluster.deleteEverywhere(try VMName(Self.vm))
            try show("ferry down")
            try await cluster.end()
            try Self.judge(moves)
        } catch {
            // What was started is stopped whatever went wrong; the first error is the one to tell.
            try? await cluster.end()
            throw error
        }
    }

    private func moveAround(_ cluster: LocalCluster) async throws -> [DemoMove] {
        let name = try VMName(Self.vm)
        var options = PulseOptions()
        options.period = Self.heartbeatPeriod
        let commandLine = try options.commandLine()
        try show("ferry vm create \(name) --memory \(memory) --on \(cluster.hosts[0])")
        let watch = try PulseWatch(name, in: cluster)
        defer { watch.end() }
        _ = try await cluster.agent(cluster.hosts[0]).create(
            CreateVM(name: name, memoryBytes: memory.bytes, commandLine: commandLine))
        try Self.say("  the guest fills its memory with text and then writes 2000 pages a second …")
        try await watch.waitUntilFilled()

        var moves: [DemoMove] = []
        let route = cluster.hosts + [cluster.hosts[0]]
        for (source, destination) in zip(route, route.dropFirst()) {
            try show("ferry migrate \(name) --to \(destination)")
            moves.append(try await move(name, from: source, to: destination, cluster, watch))
        }
        try Self.say("  the guest compares all of its memory with what it wrote …")
        let wrong = try await watch.verifyAll(on: route[route.count - 1])
        guard wrong == 0 else { throw TestbedError("the guest found \(wrong) wrong pages") }
        return moves
    }

    private func move(
        _ name: VMName, from source: HostName, to destination: HostName, _ cluster: LocalCluster,
        _ watch: PulseWatch
    ) async throws -> DemoMove {
        let start = Instant.now
        let exitCode = try await FerryCommand.show(
            ["migrate", name.text, "--to", destination.text],
            in: FileManager.default.currentDirectoryPath)
        guard exitCode == 0 else { throw TestbedError("ferry migrate: exit code \(exitCode)") }
        try await watch.waitForBeats(10)
        let migrations = try await cluster.agent(source).migrations()
        guard let report = migrations.last(where: { $0.vm == name })?.report else {
            throw TestbedError("\(source) has no report of the migration")
        }
        let trace = watch.trace
        return DemoMove(
            source: source, destination: destination, report: report,
            longestGap: trace.longestGap(from: start, to: .now), errors: trace.errors,
            firstBreak: trace.firstBreak)
    }

    private static func judge(_ moves: [DemoMove]) throws {
        if let bad = moves.first(where: { $0.errors > 0 || $0.firstBreak != nil }) {
            throw TestbedError(
                "\(bad.source) → \(bad.destination): \(bad.errors) wrong pages, heartbeats lost or repeated: \(bad.firstBreak != nil)"
            )
        }
    }

    private func show(_ command: String) throws { try Self.say("$ \(command)") }

    /// Not buffered: what this program and `ferry` say must stay in order, also in a file.
    private static func say(_ text: String) throws {
        try StandardStreams.write(Array("\(text)\n".utf8), to: 1)
    }

    @Sendable private static func size(_ text: String) throws -> ByteCount {
        guard let size = ByteCount(text) else {
            throw ValidationError("'\(text)' is not a size: write 512MiB or 1GiB")
        }
        return size
    }
}
