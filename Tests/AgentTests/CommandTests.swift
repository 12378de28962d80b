// Commands that come twice, late, or about what has changed meanwhile: a controller that did not hear an answer sends
// them again.

import API
import Clients
import ClusterFile
import Foundation
import Host
import Model
import Testing

@Suite("Commands that are sent again", .enabled(if: kvmIsUsable, "needs /dev/kvm"), .serialized)
struct CommandTests {
    private func request(
        _ name: String, _ id: VMID, epoch: UInt64? = nil, isLeased: Bool = false
    ) throws -> CreateVM {
        CreateVM(
            VMSpec(name: try VMName(name), memory: .mebibytes(32), isLeased: isLeased),
            paused: true, id: id, epoch: epoch)
    }

    @Test(
        "A VM is created once, whatever comes of the answer; others are told apart by id and epoch")
    func create() async throws {
        try await TestCluster.with { cluster in
            let id = VMID.random()
            try await cluster.agent { agent in
                let first = try await agent.createVM(with: request("web", id, epoch: 3))
                #expect((first.id, first.epoch, first.state) == (id, 3, .paused))
                let again = try await agent.createVM(with: request("web", id, epoch: 3))
                #expect((again.id, again.processID) == (id, first.processID))
                #expect(try await agent.listAllVMs().count == 1)
                await problem(.nameTaken) {
                    _ = try await agent.createVM(with: request("web", .random()))
                }
                await problem(.wrongState) {
                    _ = try await agent.createVM(with: request("web", id, epoch: 4))
                }
                await problem(.wrongState) {
                    _ = try await agent.createVM(with: request("other", id, epoch: 3))
                }
                await problem(.invalid) {
                    _ = try await agent.createVM(with: request("x", .random(), epoch: 0))
                }
                await problem(.invalid) {
                    _ = try await agent.createVM(with: request("x", .random(), epoch: .max))
                }
                #expect(try await agent.listAllVMs().map(\.id) == [id])
            }
            // The agent's next life knows it as well.
            try cluster.kill()
            try await cluster.start(HostName("host-a"))
            try await cluster.agent { agent in
                let found = try await agent.createVM(with: request("web", id, epoch: 3))
                #expect(found.id == id)
                await problem(.nameTaken) {
                    _ = try await agent.createVM(with: request("web", .random()))
                }
            }
        }
    }

    @Test("A VM whose life ended here begins again in a later epoch only")
    func again() async throws {
        try await TestCluster.with { cluster in
            try await cluster.agent { agent in
                let id = VMID.random()
                _ = try await agent.createVM(with: request("web", id, epoch: 3))
                await problem(.vmNotFound) {
                    try await agent.deleteVM(named: VMName("web"), id: .random())
                }
                try await agent.deleteVM(named: VMName("web"), id: id)
                await problem(.vmNotFound) {
                    try await agent.deleteVM(named: VMName("web"), id: id)
                }
                await problem(.wrongState) {
                    _ = try await agent.createVM(with: request("web", id, epoch: 3))
                }
                await problem(.wrongState) {
                    _ = try await agent.createVM(with: request("web", id))
                }
                let later = try await agent.createVM(with: request("web", id, epoch: 9))
                #expect(later.epoch == 9)
            }
        }
    }

    @Test(
        "A migration is started once; a destination that only the request knows is asked who it is")
    func migrate() async throws {
        try await TestCluster.with(hosts: 2) { cluster in
            let (a, b) = (cluster.file.hosts[0], cluster.file.hosts[1])
            try cluster.kill("host-a")
            try await cluster.start(a.name, without: b.name)
            try await cluster.agent { agent in
                let vm = try await agent.createPulse("web")
                let start = StartMigration(
                    vm: vm.name, to: b.name, downtimeLimit: .milliseconds(5000), id: .random(),
                    peerAddress: "\(b.peer)")
                var unknown = start
                unknown.peerAddress = nil
                await problem(.hostUnknown) { _ = try await agent.startMigration(with: unknown) }
                var odd = start
                odd.peerAddress = "localhost:x"
                await problem(.invalid) { _ = try await agent.startMigration(with: odd) }
                var other = start
                (other.id, other.to) = (.random(), try HostName("host-z"))
                let refused = try await agent.followMigration(
                    withID: agent.startMigration(with: other).id
                ) { _ in
                }
                #expect(refused.failure?.code == "peer_of_other_name")

                let first = try await agent.startMigration(with: start)
                #expect(first.id == start.id)
                #expect(try await agent.startMigration(with: start).id == start.id)
                let over = try await agent.followMigration(withID: first.id) { _ in }
                #expect(over.state == .succeeded)
                // Also when it is over, and by another life of the agent.
                #expect(try await agent.startMigration(with: start).state == .succeeded)
                #expect(try await agent.migrations().count == 2)
                other.id = start.id
                await problem(.invalid) { _ = try await agent.startMigration(with: other) }

                // It came here before, by the id that it still has.
                let id = vm.id
                await problem(.wrongState) {
                    _ = try await agent.createVM(with: request("web", id, epoch: 2))
                }
                try await cluster.agent("host-b") { try await $0.deleteVM(named: vm.name, id: id) }
                let later = try await agent.createVM(with: request("web", id, epoch: 3))
                #expect(later.epoch == 3)
            }
        }
    }
}
