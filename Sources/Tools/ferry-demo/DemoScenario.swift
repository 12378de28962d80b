// What happens in the demo, in order.

import API
import Clients
import Foundation
import Host
import Model
import Testbed

final class DemoScenario {
    private let cluster: LocalCluster
    private let controller: ControllerClient
    private let memory: ByteCount
    private let guests: [DemoGuest]
    private var start = Instant.now
    private var before: [ClusterHost] = []
    private var imbalance = (before: 0.0, after: 0.0)
    private var operations: [OperationInfo] = []
    private var violations: [String] = []

    private static let patience = Duration.seconds(45)
    private static let poll = Duration.milliseconds(200)
    /// The measured load is smoothed over a few heartbeats.
    private static let settle = Duration.seconds(4)

    init(on cluster: LocalCluster, memory: ByteCount) throws {
        guard let controller = cluster.controller, cluster.hosts.count >= 3 else {
            throw TestbedError("the demo needs a cluster with a controller and three hosts")
        }
        self.cluster = cluster
        self.controller = controller
        self.memory = memory
        guests = try DemoGuest.shapes.map { try DemoGuest(shape: $0, in: cluster) }
    }

    func runScenario() async throws {
        defer { for guest in guests { guest.stopWatching() } }
        var off = UpdateBalance()
        off.mode = .off
        _ = try await controller.updateBalance(with: off)
        try await createGuests()
        start = .now
        try await balanceLoad()
        try await drainAndReturn()
        try await verifyGuests()
        try await printSummary()
    }

    /// Ends the VMs and forgets them.
    func deleteGuests() async throws {
        let known = Set(try await fetchClusterVMs().map(\.name))
        for guest in guests where known.contains(guest.name) {
            _ = try await controller.deleteVM(named: guest.name)
        }
        try await waitUntil("the VMs are deleted") {
            let left = try await fetchClusterVMs().map(\.name)
            return !left.contains { name in guests.contains { $0.name == name } }
        }
    }

    private func createGuests() async throws {
        for guest in guests {
            try printLine(
                "$ ferry vm create \(guest.name) --memory \(memory) --on \(guest.startsOn)   # writes \(guest.rate) pages a second"
            )
            _ = try await controller.createVM(with: try guest.creationRequest(memory: memory))
        }
        for guest in guests { try await guest.watch.waitUntilFilled() }
    }

    // MARK: Balance

    private func balanceLoad() async throws {
        try await Task.sleep(for: Self.settle)
        before = try await fetchHosts()
        imbalance.before = try await controller.readBalanceInfo().imbalance
        try await runFerryCommand("host", "list")
        // What is much depends on how many cores the machine has: the balancer is to level most of it.
        var settings = UpdateBalance()
        settings.mode = .auto
        settings.intervalSeconds = 1
        settings.startAbove = imbalance.before / 2
        settings.settleAt = imbalance.before / 4
        settings.coolDownSeconds = 0
        settings.returnBarSeconds = 0
        settings.horizonSeconds = 3600
        try printLine("\n  the balancer is set to auto: it moves what is worth moving")
        _ = try await controller.updateBalance(with: settings)
        try await waitUntil("the balancer has levelled the load") {
            let runs = try await fetchOperations(ofKind: .balance)
            return runs.contains { $0.movesDone > 0 } && runs.allSatisfy(\.isOver)
        }
        var off = UpdateBalance()
        off.mode = .off
        _ = try await controller.updateBalance(with: off)
        for run in try await fetchOperations(ofKind: .balance) {
            try await waitForOperation(withID: run.id)
        }
        for move in try await fetchOperations(ofKind: .balance).flatMap(\.plan.moves)
        where move.state == .done {
            try printLine("  \(move.vm): \(move.from) → \(move.to), \(move.why)")
        }
        try await Task.sleep(for: Self.settle)
        imbalance.after = try await controller.readBalanceInfo().imbalance
        try await runFerryCommand("host", "list")
    }

    // MARK: Drain

    private func drainAndReturn() async throws {
        let host = cluster.hosts[0]
        try await runFerryCommand("drain", host.text)
        guard let drain = try await fetchOperations(ofKind: .drain).first else {
            throw TestbedError("the controller knows of no drain")
        }
        let drained = try await waitForOperation(withID: drain.id)
        guard drained.state == .succeeded,
            try await cluster.agentClient(for: host).listAllVMs().isEmpty
        else {
            throw TestbedError("\(host) was not drained: \(drained.detail ?? "no reason")")
        }
        try printLine("  \(host) is empty, and could be switched off: all VMs beat on elsewhere …")
        for guest in guests { try await guest.watch.waitForBeats(count: 10) }
        try await runFerryCommand("activate", host.text, "--bring-back")
        for operation in try await fetchOperations(ofKind: .bringBack) {
            try await waitForOperation(withID: operation.id)
        }
    }

    // MARK: At the end

    private func verifyGuests() async throws {
        try printLine("\n  each guest compares all of its memory with what it wrote …")
        for guest in guests {
            guard let host = try await controller.readClusterVM(named: guest.name).host else {
                throw TestbedError("\(guest.name) is nowhere")
            }
            let wrong = try await guest.watch.verifyAll(on: host)
            guard wrong == 0 else {
                throw TestbedError("\(guest.name) found \(wrong) wrong pages")
            }
        }
        let expected = Dictionary(
            uniqueKeysWithValues: try await fetchClusterVMs().map { ($0.name, $0.id) })
        violations = try await ClusterInspection(cluster).findViolations(
            expecting: expected, within: .seconds(10))
    }

    private func printSummary() async throws {
        operations = try await fetchOperations(ofKind: nil)
        var migrations: [MigrationInfo] = []
        for agent in cluster.client.agents { migrations += try await agent.migrations() }
        let table = DemoTable(
            guests: guests, operations: operations,
            migrations: migrations.filter { $0.state == .succeeded }, from: start, before: before,
            after: try await fetchHosts(), imbalance: imbalance)
        try printLine("\n" + table.text + "\n")
    }

    /// Throws when anything was seen that must not be.
    func checkOutcome() throws {
        if let problem = guests.compactMap(\.problem).first ?? violations.first {
            throw TestbedError(problem)
        }
        guard imbalance.after < imbalance.before else {
            throw TestbedError("the load was not levelled")
        }
    }

    // MARK: Asking

    private func fetchHosts() async throws -> [ClusterHost] {
        try await controller.collectAllPages { after throws(ClientError) in
            try await controller.listHosts(after: after)
        }
    }

    private func fetchClusterVMs() async throws -> [ClusterVM] {
        try await controller.collectAllPages { after throws(ClientError) in
            try await controller.listClusterVMs(after: after)
        }
    }

    /// The newest first, of this demo.
    private func fetchOperations(ofKind kind: OperationInfo.Kind?) async throws -> [OperationInfo] {
        let sinceMs = Date().timeIntervalSince1970 * 1000 - (Instant.now - start).milliseconds
        return try await controller.collectAllPages { after throws(ClientError) in
            try await controller.listOperations(after: after)
        }.filter { (kind == nil || $0.kind == kind) && Double($0.startedAtMs) >= sinceMs }
    }

    @discardableResult
    private func waitForOperation(withID id: OperationID) async throws -> OperationInfo {
        try await waitUntil("operation \(id) ends") {
            try await controller.operation(withID: id).isOver
        }
        return try await controller.operation(withID: id)
    }

    private func waitUntil(_ what: String, condition isSo: () async throws -> Bool) async throws {
        let end = Instant.now + Self.patience
        while try await !isSo() {
            guard Instant.now < end else {
                throw TestbedError("not within \(Self.patience): \(what)")
            }
            try await Task.sleep(for: Self.poll)
        }
    }

    /// Runs `ferry` for everyone to see.
    private func runFerryCommand(_ arguments: String...) async throws {
        try printLine("\n$ ferry \(arguments.joined(separator: " "))")
        let exitCode = try await FerryCommand.runInteractively(
            arguments: arguments, folder: FileManager.default.currentDirectoryPath)
        guard exitCode == 0 else {
            throw TestbedError("ferry \(arguments.joined(separator: " ")): exit code \(exitCode)")
        }
    }
}
