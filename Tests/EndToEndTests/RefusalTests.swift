import API
import Clients
import Foundation
import Host
import Model
import Pulse
import Testbed
import Testing

extension EndToEnd {
    @Suite("What a destination refuses is said in its words, and the VM runs on")
    struct RefusalTests {
        @Test("a name that exists there")
        func nameExists() async throws {
            try await withCluster(hosts: ["host-a", "host-b"]) { cluster in
                try await withPulse(cluster) { vm, watch in
                    _ = try await cluster.agentClient(for: cluster.hosts[1]).createVM(
                        with: CreateVM(VMSpec(name: vm, memory: .mebibytes(64)), paused: true))
                    let migration = try await cluster.migrateVM(
                        vm, from: cluster.hosts[0], to: cluster.hosts[1])
                    #expect(migration.state == .failed)
                    #expect(migration.failure?.vmIsRunning == true)
                    #expect(migration.failure?.message.contains(vm.text) == true)
                    try await watch.waitForBeats(count: 2)
                    try await expectUnharmed(watch, on: cluster.hosts[0])
                }
            }
        }

        @Test("a VM with more memory than the host has is not made")
        func tooMuchMemory() async throws {
            try await withCluster(hosts: ["host-a"]) { cluster in
                let result = try await cluster.runFerry(
                    "vm", "create", "huge", "--memory", "900GiB", "--on", "host-a")
                #expect(result.exitCode == 4, "\(result.errors)")
                #expect(result.errors.contains("memory"), "\(result.errors)")
                let list = try await cluster.runFerry("vm", "list", "--output", "json")
                #expect(!list.output.contains("huge"))
            }
        }

        @Test("a kernel that is no kernel, and a name that exists")
        func badCreate() async throws {
            try await withCluster(hosts: ["host-a"]) { cluster in
                let kernel = try await cluster.runFerry(
                    "vm", "create", "a", "--memory", "64MiB", "--on", "host-a", "--kernel",
                    "/etc/passwd")
                #expect(kernel.exitCode == 4, "\(kernel.errors)")
                #expect(kernel.errors.contains("kernel"), "\(kernel.errors)")
                for exitCode: Int32 in [0, 4] {
                    let create = try await cluster.runFerry(
                        "vm", "create", "a", "--memory", "64MiB", "--on", "host-a")
                    #expect(create.exitCode == exitCode, "\(create.errors)")
                }
            }
        }

        @Test("a host, a VM or a migration that is not there is exit code 3")
        func notFound() async throws {
            try await withCluster(hosts: ["host-a"]) { cluster in
                for arguments in [
                    ["vm", "show", "nobody"], ["host", "show", "host-z"],
                    ["migrate", "nobody", "--to", "host-a"],
                ] {
                    let result = try await FerryCommand.runFerry(
                        arguments: arguments + ["--output", "json"], folder: cluster.folder)
                    #expect(result.exitCode == 3, "\(arguments): \(result.errors)")
                }
            }
        }
    }
}
