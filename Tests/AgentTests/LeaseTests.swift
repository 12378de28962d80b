// Leased VMs run while their host is heard by a controller, and stop by themselves when it is not: also with nobody
// there to stop them.

import API
import Clients
import ClusterFile
import Foundation
import Host
import Model
import Pulse
import Testing
import VMControl

@Suite(
    "Leased VMs", .enabled(if: kvmIsUsable, "needs /dev/kvm"), .serialized, .timeLimit(.minutes(2)))
struct LeaseTests {
    private func create(_ agent: AgentClient, paused: Bool = false) async throws -> VMInfo {
        try await agent.createVM(
            with: CreateVM(
                VMSpec(
                    name: VMName("web"), memory: .mebibytes(64),
                    commandLine: PulseOptions(
                        fillBytes: 16 << 20, workingSetBytes: 4 << 20, period: .milliseconds(20)
                    ).commandLine(), isLeased: true), paused: paused))
    }

    /// Waits until a VM's process has ended; returns why it says so.
    private func exit(
        of vm: VMInfo, _ cluster: TestCluster, on host: String = "host-a"
    ) throws -> VMExit {
        // It may be gone already.
        if let process = try? ProcessHandle(try #require(vm.processID)) {
            #expect(try process.waitForExit(within: .seconds(20)))
        }
        let path = "\(cluster.vmFolder("web", on: host))/exit.json"
        return try JSONDecoder().decode(
            VMExit.self, from: Data(File.readContents(at: path, limit: 4096)))
    }

    @Test("Without a controller's lease none begins; with one it runs, and the lease is renewed")
    func renewed() async throws {
        try await TestCluster.with(controllers: 1) { cluster in
            try await cluster.agent { agent in
                await problem(.noLease) { _ = try await create(agent) }
                #expect(!Folder.isPresent(at: cluster.vmFolder("web")))
            }
            let controller = FakeController()
            try await controller.serve(cluster) {
                _ = try await controller.heartbeat()
                _ = try await controller.heartbeat()
                let vm = try await cluster.agent { try await create($0) }
                #expect(vm.spec.isLeased)
                #expect(try await controller.report(of: vm.name).isLeased)
                // For longer than any one lease of two seconds.
                let end = Instant.now + .seconds(5)
                while Instant.now < end {
                    let report = try await controller.report(of: vm.name)
                    #expect(report.state == .running)
                }
                // A stopped one needs a lease to start, and has it.
                try await cluster.agent { agent in
                    _ = try await agent.performAction(.stop, on: vm.name)
                    let started = try await agent.performAction(.start, on: vm.name)
                    #expect(started.state == .running)
                    #expect(try await agent.heartbeat(of: vm.name).errors == 0)
                }
            }
        }
    }

    @Test("When the controllers fall silent it stops by itself, and starts when they are back")
    func silent() async throws {
        try await TestCluster.with(controllers: 1) { cluster in
            let controller = FakeController()
            let vm = try await controller.serve(cluster) {
                _ = try await controller.heartbeat()
                _ = try await controller.heartbeat()
                return try await cluster.agent { try await create($0) }
            }
            #expect(try exit(of: vm, cluster).reason == .leaseExpired)
            try await cluster.agent { agent in
                try await eventually { try await agent.readVMInfo(named: vm.name).state == .failed }
                #expect(try await agent.readVMInfo(named: vm.name).exit?.reason == .leaseExpired)
                await problem(.noLease) { _ = try await agent.performAction(.start, on: vm.name) }
            }
            try await controller.serve(cluster) {
                let ended = try await controller.report(of: vm.name) { $0.state == .failed }
                #expect(ended.exit?.reason == .leaseExpired)
                _ = try await controller.heartbeat()
                try await cluster.agent { agent in
                    let started = try await agent.performAction(.start, on: vm.name)
                    #expect(started.state == .running)
                }
            }
        }
    }

    @Test(
        "A killed agent's VMs stop by themselves; one that is there again in time goes on with theirs"
    )
    func killedAgent() async throws {
        try await TestCluster.with(controllers: 1) { cluster in
            let controller = FakeController { _ in
                HeartbeatAnswer(term: 1, intervalMs: 200, leaseMs: 4000)
            }
            try await controller.serve(cluster) {
                _ = try await controller.heartbeat()
                _ = try await controller.heartbeat()
                let vm = try await cluster.agent { try await create($0) }
                try cluster.kill()
                try await cluster.start(HostName("host-a"))
                let end = Instant.now + .seconds(6)
                while Instant.now < end {
                    let report = try await controller.report(of: vm.name)
                    #expect(report.state == .running)
                }
                try cluster.kill()
                let killed = Instant.now
                #expect(try exit(of: vm, cluster).reason == .leaseExpired)
                #expect(Instant.now - killed < .seconds(8))
            }
        }
    }

    @Test(
        "It moves only to a host that has a lease, and is held by that one's from its first instruction"
    )
    func migration() async throws {
        try await TestCluster.with(hosts: 2, controllers: 1) { cluster in
            let b = try HostName("host-b")
            let controller = FakeController { report in
                var answer = HeartbeatAnswer.usual
                if case .heartbeat(b, _) = report { answer.leaseMs = 0 }
                return answer
            }
            try await controller.serve(cluster) {
                for host in cluster.file.hosts.map(\.name) {
                    _ = try await controller.next { report in
                        if case .heartbeat(host, _) = report { true } else { nil }
                    }
                }
                _ = try await controller.heartbeat()
                let vm = try await cluster.agent { try await create($0) }
                try await cluster.agent { agent in
                    let start = StartMigration(
                        vm: vm.name, to: b, downtimeLimit: .milliseconds(5000))
                    let refused = try await agent.followMigration(
                        withID: agent.startMigration(with: start).id
                    ) {
                        _ in
                    }
                    #expect(refused.failure?.code == "refused_not_accepting")
                    #expect(refused.failure?.reason.contains("leased") == true)
                    #expect(try await agent.heartbeat(of: vm.name).errors == 0)

                    let (grants, grant) = AsyncStream<Void>.makeStream()
                    controller.answers { report in
                        if case .heartbeat(b, _) = report { grant.yield() }
                        return .usual
                    }
                    // With the second one it has the answer to the first.
                    for await _ in grants.prefix(2) {}
                    let moved = try await agent.followMigration(
                        withID: agent.startMigration(with: start).id
                    ) {
                        _ in
                    }
                    #expect(moved.state == .succeeded)
                }
                let there = try await cluster.agent("host-b") { agent in
                    #expect(try await agent.heartbeat(of: vm.name).errors == 0)
                    return try await agent.readVMInfo(named: vm.name)
                }
                #expect(there.spec.isLeased)
                #expect(there.epoch == 2)
                // Nobody renews it now.
                try cluster.kill("host-b")
                #expect(try exit(of: there, cluster, on: "host-b").reason == .leaseExpired)
            }
        }
    }
}
