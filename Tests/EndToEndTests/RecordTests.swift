// `ferry record` on a real cluster, and what it wrote, done again.

import API
import Clients
import Foundation
import Glibc
import History
import Host
import Model
import Placement
import Simulation
import Synchronization
import Testbed
import Testing

extension EndToEnd {
    @Suite("Recording a cluster")
    struct RecordTests {
        @Test(
            "What a cluster did is recorded, through a kill and a gap, and replayed to the same places"
        )
        func record() async throws {
            try await withControlledCluster { cluster in
                for (name, host) in [("web", "host-a"), ("db", "host-b")] {
                    try await cluster.done(
                        "vm", "create", name, "--memory", "64MiB", "--on", host,
                        "--downtime-limit", "10s")
                }
                let file = cluster.folder + "/history.jsonl"
                let first = try RecordProcess(cluster)
                defer { first.kill() }
                try await waitForLine(in: file) { $0.contains(#""vm":"web""#) }
                _ = try await cluster.doneOnceReported("migrate", "web", "--to", "host-c")
                try await cluster.done("vm", "create", "job", "--memory", "64MiB", "--on", "host-a")
                _ = try await cluster.doneOnceReported("drain", "host-b")
                try await waitForLine(in: file) { $0.contains(#""plannedFor":"drain""#) }
                first.kill()

                // Nobody records while a VM goes.
                try await cluster.done("vm", "delete", "job")
                let second = try RecordProcess(cluster)
                defer { second.kill() }
                try await waitForLine(in: file) {
                    $0.contains(#""name":"job""#) && $0.contains("gone")
                }
                let ended = try await second.interrupt()
                #expect(ended.status == 0, "\(ended.errors)")
                #expect(ended.errors.contains("going on with history.jsonl"))
                #expect(ended.output.contains("recorded 3 hosts and 2 VMs"), "\(ended.output)")

                let history = try HistoryReader.readHistory(path: file)
                #expect(history.endedInOrder && history.gaps.map(\.why) == [.stopped])
                let controller = try #require(cluster.controller)
                var places: [String: String] = [:]
                for vm in try await controller.listClusterVMs().items {
                    places[vm.name.text] = vm.host?.text
                }
                #expect(places["web"] == "host-c" && places.count == 2)
                #expect(history.placement(at: history.end) == places)
                expectFigures(history)
                #expect(try replay(history) == places)
            }
        }

        /// Both migrations are there, with what they took beside what was foretold.
        private func expectFigures(_ history: History) {
            #expect(history.moves.map(\.move.plannedFor) == ["request", "drain"])
            for move in history.moves.map(\.move) {
                #expect(move.outcome == .done && move.predictedBytes.expected > 0)
                #expect((move.bytes ?? 0) > 1 << 20 && (move.seconds ?? 0) > 0)
                #expect((move.downtimeMs ?? 0) > 0)
            }
            #expect(history.workload.requests.map(\.initialHost) == [1, 0, -1])
        }

        /// Where a run of the recorded decisions ends, once the last of its moves is over.
        private func replay(_ history: History) throws -> [String: String] {
            let look = LastLook()
            var strategy = history.recordedStrategy
            strategy.moves = LookingMoves(inner: strategy.moves, look: look)
            var scenario = history.makeScenario(
                using: strategy, power: [PowerCurve(watts: Array(repeating: 100, count: 11))],
                seed: 1)
            scenario.workload.end = scenario.workload.end + .seconds(60)
            let result = try scenario.runSimulation()
            #expect(result.migrations == 2 && result.refused == 0)
            return look.places(named: history.workload.names)
        }
    }
}

/// Waits for a whole line of a file that grows.
private func waitForLine(in file: String, _ isIt: (Substring) -> Bool) async throws {
    let end = Instant.now + .seconds(20)
    while true {
        // It may not be there yet.
        let text = (try? String(contentsOfFile: file, encoding: .utf8)) ?? ""
        if text.hasSuffix("\n"), text.split(separator: "\n").contains(where: isIt) { return }
        guard Instant.now < end else { throw TestbedError("\(file): \(text.suffix(2000))") }
        try await Task.sleep(for: .milliseconds(50))
    }
}

/// `ferry record`, with what it says kept in files.
private final class RecordProcess: Sendable {
    private let process: Process
    private let outputs: [String]

    init(_ cluster: LocalCluster) throws {
        process = Process()
        process.executableURL = URL(filePath: ProgramFolder.path + "/ferry")
        process.arguments = [
            "record", "--to", "history.jsonl", "--every", "1s", "--cluster", "cluster.yaml",
        ]
        process.currentDirectoryURL = URL(filePath: cluster.folder)
        process.standardInput = FileHandle.nullDevice
        let base = "\(cluster.folder)/record-\(UUID())"
        outputs = ["\(base).out", "\(base).err"]
        for path in outputs { _ = FileManager.default.createFile(atPath: path, contents: nil) }
        process.standardOutput = FileHandle(forWritingAtPath: outputs[0])
        process.standardError = FileHandle(forWritingAtPath: outputs[1])
        try process.run()
    }

    /// As a crash would end it.
    func kill() {
        guard process.isRunning else { return }
        Glibc.kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
    }

    func interrupt() async throws -> (status: Int32, output: String, errors: String) {
        process.interrupt()
        let end = Instant.now + .seconds(10)
        while process.isRunning {
            guard Instant.now < end else { throw TestbedError("ferry record does not end") }
            try await Task.sleep(for: .milliseconds(20))
        }
        let texts = try outputs.map { try String(contentsOfFile: $0, encoding: .utf8) }
        return (process.terminationStatus, texts[0], texts[1])
    }
}

/// Where VMs stood when a run was last looked at, by request.
private final class LastLook: Sendable {
    private let places = Mutex<[Int: String]>([:])

    func take(_ cluster: ClusterState) {
        var found: [Int: String] = [:]
        for vm in cluster.allVMs {
            let host = cluster.currentHost(of: vm).map { cluster.hosts[$0].name }
            found[Int(cluster.description(of: vm).id.low)] = host
        }
        places.withLock { $0 = found }
    }

    func places(named names: [String]) -> [String: String] {
        places.withLock { places in
            Dictionary(places.map { (names[$0.key], $0.value) }) { $1 }
        }
    }
}

private struct LookingMoves: MovePolicy {
    var inner: (any MovePolicy)?
    let look: LastLook
    let name = "recorded"
    let interval = Duration.seconds(1)
    let waitsForMoves = false

    mutating func planMoves(in cluster: ClusterState, at now: SimTime) -> MovePlan {
        look.take(cluster)
        return inner?.planMoves(in: cluster, at: now) ?? MovePlan()
    }

    func nextRound(after now: SimTime) -> SimTime {
        min(inner?.nextRound(after: now) ?? .never, now + interval)
    }
}
