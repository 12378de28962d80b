// The operator's commands against a controller and its agents, all of them real.

import API
import Clients
import Foundation
import Host
import Model
import Testbed
import Testing

extension EndToEnd {
    @Suite("Cluster commands")
    struct ClusterCommandTests {
        @Test("A VM's life: placed, explained, moved, stopped, started, deleted")
        func life() async throws {
            try await withControlledCluster { cluster in
                let made = try await cluster.done(
                    "vm", "create", "web", "--memory", "64MiB", "--anti-affinity", "apart",
                    "--on", "host-a")
                #expect(made.output.contains("web is running on host-a"))
                let other = try await cluster.done(
                    "vm", "create", "db", "--memory", "64MiB", "--anti-affinity", "apart")
                #expect(other.output.contains("db is running on host-"))
                #expect(!other.output.contains("host-a"))
                let groups = try await cluster.done("group", "list")
                #expect(groups.output.contains("db web"))

                let taken = try await cluster.runFerry("vm", "create", "web", "--memory", "64MiB")
                #expect(taken.exitCode == 4, "\(taken.errors)")
                let huge = try await cluster.runFerry(
                    "place", "--explain", "--memory", "900GiB", "--vcpus", "1")
                #expect(huge.exitCode == 4)
                #expect(huge.output.contains("refused by memory: needs 900GiB"))
                let place = try await cluster.done("place", "--explain", "web")
                #expect(place.output.contains("*  host-"))
                #expect(place.output.contains("refused by anti-affinity"))

                let target = other.output.contains("host-b") ? "host-c" : "host-b"
                let moved = try await cluster.doneOnceReported("migrate", "web", "--to", target)
                #expect(moved.output.contains("web runs on \(target)"), "\(moved.output)")
                #expect(moved.output.contains("downtime"))
                let refused = try await cluster.runFerry("migrate", "web", "--to", target)
                #expect([4, 6].contains(refused.exitCode), "\(refused.errors)")

                let console = try await cluster.done("vm", "log", "web", "--tail", "200")
                #expect(!console.output.isEmpty)
                #expect(try await cluster.done("vm", "stop", "web").output.contains("is stopped"))
                #expect(try await cluster.done("vm", "start", "web").output.contains("is running"))
                try await cluster.done("vm", "update", "web", "--priority", "7", "--no-balance")
                let shown = try await cluster.done("vm", "show", "web")
                #expect(shown.output.contains("priority        7"))
                #expect(shown.output.contains("leaves it alone"))
                try await cluster.done("vm", "delete", "web")
                #expect(try await cluster.runFerry("vm", "show", "web").exitCode == 3)
            }
        }

        @Test("A host is drained with a plan before and a report after, and its VMs come back")
        func drain() async throws {
            try await withControlledCluster { cluster in
                for name in ["one", "two"] {
                    try await cluster.done(
                        "vm", "create", name, "--memory", "64MiB", "--on", "host-a",
                        "--downtime-limit", "10s")
                }
                try await cluster.done(
                    "vm", "create", "fixed", "--memory", "64MiB", "--pin", "host-b")

                let plan = try await cluster.doneOnceReported("drain", "host-a", "--plan")
                #expect(plan.output.contains("2 moves in"), "\(plan.output)")
                let drained = try await cluster.done("drain", "host-a")
                #expect(drained.output.contains("drain of host-a: done, 2 of 2 moves"))
                #expect(drained.errors.contains("[0/2] "), "\(drained.errors)")
                let hosts = try await cluster.done("host", "list")
                #expect(hosts.output.contains("maintenance"))
                let back = try await cluster.done("activate", "host-a", "--bring-back")
                #expect(back.output.contains("return to host-a: done, 2 of 2 moves"))

                // What is pinned cannot leave: that is told, before and after.
                let stuck = try await cluster.runFerry("drain", "host-b", "--plan")
                #expect(stuck.exitCode == 10, "\(stuck.errors)")
                #expect(stuck.output.contains("fixed stays: "), "\(stuck.output)")
                let left = try await cluster.runFerry("drain", "host-b")
                #expect(left.exitCode == 10, "\(left.output) \(left.errors)")
                #expect(left.output.contains("fixed stays: "), "\(left.output)")
                try await cluster.done("activate", "host-b")

                let operations = try await cluster.done("operation", "list")
                #expect(operations.output.contains("bring-back"))
                let groups = try await cluster.runFerry("maintenance", "plan")
                #expect(groups.exitCode == 10)
                #expect(groups.output.contains("host-b cannot be emptied"), "\(groups.output)")
            }
        }

        @Test("Balance, tokens, events, one frame of top, names for completion")
        func lookingOn() async throws {
            try await withControlledCluster { cluster in
                try await cluster.done("vm", "create", "web", "--memory", "64MiB")
                let balance = try await cluster.done(
                    "balance", "--mode", "off", "--start-above", "0.2", "--cool-down", "10m")
                #expect(balance.output.contains("mode        off"))
                #expect(balance.output.contains("starts above 0.2,"))
                #expect(balance.output.contains("a VM rests  10 min 0 s"))
                _ = try await cluster.doneOnceReported("balance", "--plan")

                let token = try await cluster.done("token", "create", "eyes", "--role", "viewer")
                let secret = ["FERRY_TOKEN": token.output.trimmingCharacters(in: .newlines)]
                let list = try await cluster.ferry(["vm", "list"], environment: secret)
                #expect(list.exitCode == 0, "\(list.errors)")
                #expect(list.output.contains("web"))
                let change = try await cluster.ferry(["vm", "stop", "web"], environment: secret)
                #expect(change.exitCode == 4, "\(change.errors)")
                try await cluster.done("token", "delete", "eyes")
                let after = try await cluster.ferry(["vm", "list"], environment: secret)
                #expect(after.exitCode == 4, "\(after.errors)")

                let events = try await cluster.done(
                    "events", "--after", "0", "--count", "3", "--output", "json")
                #expect(events.output.split(separator: "\n").count == 3, "\(events.output)")
                let frame = try await cluster.done("top")
                #expect(frame.output.contains("controller-1 leads"), "\(frame.output)")
                #expect(frame.output.contains("web"))
                let words = try await cluster.ferry(
                    ["complete", "vms"], environment: ["FERRY_CLUSTER": "cluster.yaml"])
                #expect(words.output == "web\n")
                let status = try await cluster.done("status")
                #expect(status.output.contains("hosts: 3 active"), "\(status.output)")
            }
        }

        @Test("ferry top draws on a terminal, ends at q and puts the terminal back")
        func terminal() async throws {
            try await withControlledCluster { cluster in
                let terminal = try PseudoTerminal()
                let before = try terminal.localModes()
                let top = try terminal.start(
                    ProgramFolder.path + "/ferry", ["top", "--cluster", "cluster.yaml"],
                    in: cluster.folder)
                try terminal.readUntil("controller-1 leads")
                #expect(try terminal.localModes() != before)
                try terminal.type("q")
                top.waitUntilExit()
                #expect(top.terminationStatus == 0)
                try terminal.readUntil("\u{1b}[?25h\u{1b}[?1049l")
                #expect(try terminal.localModes() == before)
            }
        }

        @Test("ferry down stops controllers, VMs and agents; ferry up starts what shall run")
        func downAndUp() async throws {
            try await withControlledCluster { cluster in
                try await cluster.done("vm", "create", "web", "--memory", "64MiB")
                try await cluster.done("vm", "create", "idle", "--memory", "64MiB", "--stopped")
                let down = try await cluster.done("down")
                #expect(down.output.contains("controllers controller-1"), "\(down.output)")
                try await cluster.startAgents()
                let list = try await cluster.done("vm", "list")
                let idle = list.output.split(separator: "\n").first { $0.hasPrefix("idle") }
                #expect(idle?.contains("stopped") == true, "\(list.output)")
                try await cluster.done("vm", "start", "web")
            }
        }
    }
}

/// Three agents and a controller; taken down whatever comes of it.
func withControlledCluster(_ body: (LocalCluster) async throws -> Void) async throws {
    let cluster = try await LocalCluster.startTemporary(
        control: LocalControl(controllers: ["controller-1"]))
    do { try await body(cluster) } catch {
        // The test's own error is the one to tell.
        try? await cluster.tearDown()
        throw error
    }
    try await cluster.tearDown()
}

extension LocalCluster {
    /// Runs `ferry`, which must do what it is asked.
    @discardableResult
    func done(_ arguments: String...) async throws -> FerryCommand.Result {
        let result = try await ferry(arguments)
        guard result.exitCode == 0 else {
            throw TestbedError(
                "ferry \(arguments.joined(separator: " ")): \(result.exitCode) \(result.errors) \(result.output)"
            )
        }
        return result
    }

    /// The same of something that a host must have reported first, which it does with its next heartbeat.
    func doneOnceReported(_ arguments: String...) async throws -> FerryCommand.Result {
        let end = Instant.now + .seconds(10)
        while true {
            let result = try await ferry(arguments)
            if result.exitCode == 0 { return result }
            let words = result.errors + result.output
            let isEarly = words.contains("has not reported") || words.contains("has not told")
            guard isEarly, Instant.now < end else {
                throw TestbedError("\(arguments): \(result.errors) \(result.output)")
            }
            try await Task.sleep(for: .milliseconds(250))
        }
    }

    func ferry(
        _ arguments: [String], environment: [String: String] = [:]
    ) async throws -> FerryCommand.Result {
        var environment = environment
        environment["FERRY_CLUSTER"] = "cluster.yaml"
        return try await FerryCommand.runFerry(
            arguments: arguments, folder: folder, environment: environment)
    }
}
