// What happens in the demo, in order.

import API
import Clients
import Foundation
import Host
import Model
import Testbed

final class DemoStory {
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

    init(_ cluster: LocalCluster, memory: ByteCount) throws {
        guard let controller = cluster.controller, cluster.hosts.count >= 3 else {
            throw TestbedError("the demo needs a cluster with a controller and three hosts")
        }
        self.cluster = cluster
        self.controller = controller
        self.memory = memory
        guests = try DemoGuest.shapes.map { try DemoGuest($0, in: cluster) }
    }

    func run() async throws {
        defer { for guest in guests { guest.end() } }
        var off = UpdateBalance()
        off.mode = .off
        _ = try await controller.updateBalance(off)
        try await createGuests()
        start = .now
        try await level()
        try await drainAndReturn()
        try await verify()
        try await tell()
    }

    /// Ends the VMs and forgets them.
    func deleteGuests() async throws {
        let known = Set(try await vms().map(\.name))
        for guest in guests where known.contains(guest.name) {
            _ = try await controller.delete(guest.name)
        }
        try await wait("the VMs are deleted") {
            let left = try await vms().map(\.name)
            return !left.contains { name in guests.contains { $0.name == name } }
        }
    }

    private func createGuests() async throws {
        for guest in guests {
            try say(
                "$ ferry vm create \(guest.name) --memory \(memory) --on \(guest.startsOn)   # writes \(guest.rate) pages a second"
            )
            _ = try await controller.create(try guest.request(memory: memory))
        }
        for guest in guests { try await guest.watch.waitUntilFilled() }
    }

    // MARK: Balance

    private func level() async throws {
        try await Task.sleep(for: Self.settle)
        before = try await hosts()
        imbalance.before = try await controller.balance().imbalance
        try await ferry("host", "list")
        // What is much depends on how many cores the machine has: the balancer is to level most of it.
        var settings = UpdateBalance()
        settings.mode = .auto
        settings.intervalSeconds = 1
        settings.startAbove = imbalance.before / 2
        settings.settleAt = imbalance.before / 4
        settings.coolDownSeconds = 0
        settings.returnBarSeconds = 0
        settings.horizonSeconds = 3600
        try say("\n  the balancer is set to auto: it moves what is worth moving")
        _ = try await controller.updateBalance(settings)
        try await wait("the balancer has levelled the load") {
            let runs = try await operations(.balance)
            return runs.contains { $0.movesDone > 0 } && runs.allSatisfy(\.isOver)
        }
        var off = UpdateBalance()
        off.mode = .off
        _ = try await controller.updateBalance(off)
        for run in try await operations(.balance) {
            try await waitForEnd(run.id)
        }
        for move in try await operations(.balance).flatMap(\.plan.moves) where move.state == .done {
            try say("  \(move.vm): \(move.from) → \(move.to), \(move.why)")
        }
        try await Task.sleep(for: Self.settle)
        imbalance.after = try await controller.balance().imbalance
        try await ferry("host", "list")
    }

    // MARK: Drain

    private func drainAndReturn() async throws {
        let host = cluster.hosts[0]
        try await ferry("drain", host.text)
        guard let drain = try await operations(.drain).first else {
            throw TestbedError("the controller knows of no drain")
        }
        let drained = try await waitForEnd(drain.id)
        guard drained.state == .succeeded, try await cluster.agent(host).vms().isEmpty else {
            throw TestbedError("\(host) was not drained: \(drained.detail ?? "no reason")")
        }
        try say("  \(host) is empty, and could be switched off: all VMs beat on elsewhere …")
        for guest in guests { try await guest.watch.waitForBeats(10) }
        try await ferry("activate", host.text, "--bring-back")
        for operation in try await operations(.bringBack) { try await waitForEnd(operation.id) }
    }

    // MARK: At the end

    private func verify() async throws {
        try say("\n  each guest compares all of its memory with what it wrote …")
        for guest in guests {
            guard let host = try await controller.vm(guest.name).host else {
                throw TestbedError("\(guest.name) is nowhere")
            }
            let wrong = try await guest.watch.verifyAll(on: host)
            guard wrong == 0 else {
                throw TestbedError("\(guest.name) found \(wrong) wrong pages")
            }
        }
        let expected = Dictionary(uniqueKeysWithValues: try await vms().map { ($0.name, $0.id) })
        violations = try await ClusterCheck(cluster).violations(expected, within: .seconds(10))
    }

    private func tell() async throws {
        operations = try await operations(nil)
        var migrations: [MigrationInfo] = []
        for agent in cluster.client.agents { migrations += try await agent.migrations() }
        let table = DemoTable(
            guests: guests, operations: operations,
            migrations: migrations.filter { $0.state == .succeeded }, from: start, before: before,
            after: try await hosts(), imbalance: imbalance)
        try say("\n" + table.text + "\n")
    }

    /// Throws when anything was seen that must not be.
    func judge() throws {
        if let problem = guests.compactMap(\.problem).first ?? violations.first {
            throw TestbedError(problem)
        }
        guard imbalance.after < imbalance.before else {
            throw TestbedError("the load was not levelled")
        }
    }

    // MARK: Asking

    private func hosts() async throws -> [ClusterHost] {
        try await controller.all { after throws(ClientError) in
            try await controller.hosts(after: after)
        }
    }

    private func vms() async throws -> [ClusterVM] {
        try await controller.all { after throws(ClientError) in
            try await controller.vms(after: after)
        }
    }

    /// The newest first, of this demo.
    private func operations(_ kind: OperationInfo.Kind?) async throws -> [OperationInfo] {
        let sinceMs = Date().timeIntervalSince1970 * 1000 - (Instant.now - start).milliseconds
        return try await controller.all { after throws(ClientError) in
            try await controller.operations(after: after)
        }.filter { (kind == nil || $0.kind == kind) && Double($0.startedAtMs) >= sinceMs }
    }

    @discardableResult
    private func waitForEnd(_ id: OperationID) async throws -> OperationInfo {
        try await wait("operation \(id) ends") { try await controller.operation(withID: id).isOver }
        return try await controller.operation(withID: id)
    }

    private func wait(_ what: String, _ isSo: () async throws -> Bool) async throws {
        let end = Instant.now + Self.patience
        while try await !isSo() {
            guard Instant.now < end else {
                throw TestbedError("not within \(Self.patience): \(what)")
            }
            try await Task.sleep(for: Self.poll)
        }
    }

    /// Runs `ferry` for everyone to see.
    private func ferry(_ arguments: String...) async throws {
        try say("\n$ ferry \(arguments.joined(separator: " "))")
        let exitCode = try await FerryCommand.show(
            arguments, in: FileManager.default.currentDirectoryPath)
        guard exitCode == 0 else {
            throw TestbedError("ferry \(arguments.joined(separator: " ")): exit code \(exitCode)")
        }
    }
}
