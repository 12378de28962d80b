import API
import Clients
import ClusterFile
import Foundation
import Host
import Model
import Pulse
import Testing

@Suite("Migrations between agents", .enabled(if: kvmIsUsable, "needs /dev/kvm"), .serialized)
struct MigrationTests {
    @Test(
        "A VM moves there and back: it keeps its identity and its memory, and is in one place only")
    func thereAndBack() async throws {
        try await TestCluster.with(hosts: 2) { cluster in
            try await cluster.client { client in
                let a = try #require(client.agentClient(named: HostName("host-a")))
                let b = try #require(client.agentClient(named: HostName("host-b")))
                let vm = try await a.createPulse("web")
                let beat = try await a.heartbeat(of: vm.name)
                try await move(vm.name, from: a, to: b)
                await problem(.vmNotFound) { _ = try await a.readVMInfo(named: vm.name) }
                // Once its memory has been looked at again.
                try await eventually { !Folder.isPresent(at: cluster.vmFolder("web")) }
                let there = try await b.readVMInfo(named: vm.name)
                #expect(there.id == vm.id)
                #expect(there.epoch == 2)
                #expect(there.state == .running)
                let later = try await b.heartbeat(of: vm.name)
                #expect(later.sequence > beat.sequence)
                #expect(later.errors == 0)
                // Its kernel is known here too.
                #expect(try await b.performAction(.reset, on: vm.name).state == .running)
                _ = try await b.heartbeat(of: vm.name)

                try await move(vm.name, from: b, to: a)
                #expect(try await a.readVMInfo(named: vm.name).epoch == 3)
                #expect(try await a.heartbeat(of: vm.name).errors == 0)
                #expect(try await b.listAllVMs().isEmpty)

                // What arrived is found again like what was created here.
                try cluster.kill()
                try await cluster.start(a.name)
                #expect(try await a.readVMInfo(named: vm.name).state == .running)
                #expect(try await a.readVMInfo(named: vm.name).epoch == 3)
            }
        }
    }

    @Test("A name that is taken there, and a host that is down, leave the VM running where it was")
    func refused() async throws {
        try await TestCluster.with(hosts: 2) { cluster in
            try await cluster.client { client in
                let a = try #require(client.agentClient(named: HostName("host-a")))
                let b = try #require(client.agentClient(named: HostName("host-b")))
                let vm = try await a.createPulse("web")
                _ = try await b.createPulse("web", paused: true)
                let taken = try await migrate(vm.name, from: a, to: b)
                #expect(taken.state == .failed)
                #expect(taken.failure?.code == "refused_name_exists")
                #expect(taken.failure?.vmIsRunning == true)
                #expect(try await a.heartbeat(of: vm.name).errors == 0)

                try cluster.kill("host-b")
                let down = try await migrate(vm.name, from: a, to: b)
                #expect(down.failure?.code == "unreachable")
                #expect(try await a.readVMInfo(named: vm.name).state == .running)
                #expect(try await a.readVMInfo(named: vm.name).activity == nil)
                #expect(try await a.migrations().map(\.id) == [down.id, taken.id])
                await problem(.tooLateToCancel) { _ = try await a.cancelMigration(withID: down.id) }
            }
        }
    }

    @Test("A VM that is paused or stopped does not migrate")
    func notRunning() async throws {
        try await TestCluster.with(hosts: 2) { cluster in
            try await cluster.client { client in
                let a = try #require(client.agentClient(named: HostName("host-a")))
                let b = try #require(client.agentClient(named: HostName("host-b")))
                let vm = try await a.createPulse("web", paused: true)
                await problem(.wrongState) { _ = try await migrate(vm.name, from: a, to: b) }
                _ = try await a.performAction(.stop, on: vm.name)
                await problem(.wrongState) { _ = try await migrate(vm.name, from: a, to: b) }
                #expect(try await a.performAction(.start, on: vm.name).state == .running)
            }
        }
    }

    private func migrate(
        _ vm: VMName, from source: AgentClient, to destination: AgentClient
    ) async throws -> MigrationInfo {
        let started = try await source.startMigration(
            with: StartMigration(vm: vm, to: destination.name, downtimeLimit: .milliseconds(5000)))
        return try await source.followMigration(withID: started.id) { _ in }
    }

    private func move(
        _ vm: VMName, from source: AgentClient, to destination: AgentClient
    ) async throws {
        let info = try await migrate(vm, from: source, to: destination)
        #expect(info.state == .succeeded)
        let report = try #require(info.report, "\(String(describing: info.failure))")
        #expect(report.verifiedPages == (64 << 20) / 4096)
        #expect(report.downtimeMs > 0)
    }
}
