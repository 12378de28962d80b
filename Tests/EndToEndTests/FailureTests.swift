import API
import Clients
import Foundation
import Host
import Model
import Pulse
import Testbed
import Testing

extension EndToEnd {
    @Suite("What goes wrong before the handover leaves the VM where it was")
    struct FailureTests {
        /// Writes faster than anything can be sent: the migration lasts until something ends it.
        private static let restless = PulseOptions(
            fillBytes: 192 << 20, workingSetBytes: 160 << 20, rate: .flatOut, content: .random,
            period: .milliseconds(50))

        @Test("a cancel: the VM runs at the source, and nothing is at the destination")
        func cancel() async throws {
            try await duringPreCopy { cluster, vm, watch, migration in
                let source = try cluster.agentClient(for: cluster.hosts[0])
                _ = try await source.cancelMigration(withID: migration.id)
                let ended = try await source.followMigration(withID: migration.id) { _ in }
                #expect(ended.state == .cancelled)
                #expect(ended.failure?.vmIsRunning == true)
                try await expectOnlyAtSource(vm, cluster, watch)
            }
        }

        @Test(
            "the source's agent is killed: the VM runs on, the destination keeps what came until told not to"
        )
        func sourceAgentKilled() async throws {
            try await duringPreCopy { cluster, vm, watch, _ in
                try await killAgent(cluster.hosts[0], cluster)
                try await watch.waitForBeats(count: 3)
                try await cluster.startAgents()
                let destination = try cluster.agentClient(for: cluster.hosts[1])
                var kept = try await destination.readVMInfo(named: vm)
                while kept.warning?.contains("is kept until") != true {
                    try #require(kept.state == .incoming)
                    try await Task.sleep(for: .milliseconds(20))
                    kept = try await destination.readVMInfo(named: vm)
                }
                try await destination.deleteVM(named: vm)
                try await expectOnlyAtSource(vm, cluster, watch)
            }
        }

        @Test("ferry down does not wait for what is only kept for a source that is gone")
        func downWithKept() async throws {
            try await duringPreCopy { cluster, vm, watch, _ in
                try await killAgent(cluster.hosts[0], cluster)
                try await watch.waitForBeats(count: 3)
                try await cluster.startAgents()
                let down = try await cluster.runFerry("down")
                #expect(down.exitCode == 0, "\(down.errors)")
                let leftovers = FileManager.default.fileExists(
                    atPath: cluster.vmStateFolder(of: vm, on: cluster.hosts[1]))
                #expect(!leftovers, "the destination keeps a folder of the VM")
            }
        }

        @Test("the destination's agent is killed: the VM runs on, the destination keeps nothing")
        func destinationAgentKilled() async throws {
            try await duringPreCopy { cluster, vm, watch, migration in
                try await killAgent(cluster.hosts[1], cluster)
                let ended = try await cluster.agentClient(for: cluster.hosts[0]).followMigration(
                    withID: migration.id
                ) { _ in }
                #expect(ended.state == .failed)
                #expect(ended.failure?.vmIsRunning == true)
                try await cluster.startAgents()
                try await expectOnlyAtSource(vm, cluster, watch)
            }
        }

        @Test("no convergence: the reason is given, exit code 6")
        func noConvergence() async throws {
            try await withCluster(hosts: ["host-a", "host-b"]) { cluster in
                try await withPulse(
                    cluster, memory: .mebibytes(256), options: Self.restless
                ) { vm, watch in
                    let result = try await cluster.runFerry(
                        "migrate", vm.text, "--to", "host-b", "--downtime-limit", "1ms",
                        "--compression", "zlib", "--output", "json")
                    #expect(result.exitCode == 6, "\(result.output) \(result.errors)")
                    #expect(result.errors.contains("does not converge"), "\(result.errors)")
                    try await expectOnlyAtSource(vm, cluster, watch)
                }
            }
        }

        private func duringPreCopy(
            _ body: (LocalCluster, VMName, PulseWatch, MigrationInfo) async throws -> Void
        ) async throws {
            try await withCluster(hosts: ["host-a", "host-b"]) { cluster in
                try await withPulse(
                    cluster, memory: .mebibytes(256), options: Self.restless
                ) { vm, watch in
                    let source = try cluster.agentClient(for: cluster.hosts[0])
                    var migration = try await source.startMigration(
                        with: StartMigration(
                            vm: vm, to: cluster.hosts[1], downtimeLimit: .milliseconds(1),
                            compression: .zlib))
                    while migration.progress?.phase != .preCopy
                        || migration.progress?.wireBytes == 0
                    {
                        try #require(!migration.isOver, "\(migration.failure?.message ?? "moved")")
                        try await Task.sleep(for: .milliseconds(5))
                        migration = try await source.migration(withID: migration.id)
                    }
                    try await body(cluster, vm, watch, migration)
                }
            }
        }

        private func expectOnlyAtSource(
            _ vm: VMName, _ cluster: LocalCluster, _ watch: PulseWatch
        ) async throws {
            let places = await cluster.whereabouts(of: vm)
            #expect(places.map(\.host) == [cluster.hosts[0]])
            #expect(places.first?.state == .running)
            let leftovers = FileManager.default.fileExists(
                atPath: cluster.vmStateFolder(of: vm, on: cluster.hosts[1]))
            #expect(!leftovers, "the destination keeps a folder of the VM")
            try await cluster.agentClient(for: cluster.hosts[0])
                .sendConsoleInput(Array("rate 1000\n".utf8), to: vm)
            try await expectUnharmed(watch, on: cluster.hosts[0])
        }
    }
}
