// When two hosts cannot settle whose a VM is, people rule; and a host that was ruled against obeys when it is back.

import API
import Clients
import ClusterFile
import Foundation
import Host
import Keys
import Migration
import Model
import Ownership
import Pulse
import Testing
import VMControl

@Suite("Rulings by operators", .enabled(if: kvmIsUsable, "needs /dev/kvm"), .serialized)
struct RecoveryTests {
    private let migration = MigrationID.random()

    @Test("A ruling needs an operator, the VM's name and the ledger's epoch; then the VM runs here")
    func runHere() async throws {
        try await undecided { cluster, vm in
            try cluster.remember(migration, of: vm, to: "host-b")
            try await cluster.start(HostName("host-a"))
            try await cluster.agent { agent in
                let before = try await agent.readRecoveryInfo(named: vm.name)
                #expect(before.ledger.kind == .released)
                #expect(before.ledger.peer?.text == "host-b")
                #expect(before.state == .paused)
                #expect(before.options.map(\.action) == [.takeOver])
                #expect(before.options.first?.risk?.contains("two copies") == true)
                #expect(try await agent.readRecoveryInfo(withID: vm.id).ledger == before.ledger)

                func rule(_ action: RecoveryAction, epoch: UInt64, _ confirm: String?) async throws
                {
                    _ = try await agent.recoverVM(
                        with: RecoverVM(
                            action: action, epoch: epoch,
                            confirm: try confirm.map { try VMName($0) }),
                        on: vm.name)
                }
                await problem(.notConfirmed) { try await rule(.takeOver, epoch: 2, nil) }
                await problem(.notConfirmed) { try await rule(.takeOver, epoch: 2, "wep") }
                await problem(.ledgerMovedOn) { try await rule(.takeOver, epoch: 1, "web") }
                await problem(.nothingToRecover) { try await rule(.forgetPeer, epoch: 2, "web") }
                await problem(.nothingToRecover) { try await rule(.giveUp, epoch: 2, nil) }
                #expect(try await agent.readVMInfo(named: vm.name).state == .paused)

                try await rule(.takeOver, epoch: 2, "web")
                let back = try await agent.readVMInfo(named: vm.name)
                #expect(back.state == .running)
                #expect(back.epoch == 3)
                #expect(back.warning?.contains("host-b has not acknowledged") == true)
                #expect(try await agent.heartbeat(of: vm.name).errors == 0)
                await problem(.ledgerMovedOn) { try await rule(.takeOver, epoch: 2, "web") }
                // It is in doubt until the other host has heard: it neither moves nor goes.
                await problem(.wrongState) {
                    _ = try await agent.startMigration(
                        with: StartMigration(vm: vm.name, to: HostName("host-b")))
                }
                await problem(.wrongState) { try await agent.deleteVM(named: vm.name) }
                let remembered = try await agent.migration(withID: migration)
                #expect(remembered.failure?.message.contains("by a forced takeover") == true)
            }
            // What was ruled outlives the agent.
            try cluster.kill()
            try await cluster.start(HostName("host-a"))
            try await cluster.agent { agent in
                let options = try await agent.readRecoveryInfo(named: vm.name).options
                #expect(options.map(\.action) == [.forgetPeer])
                let state = try await agent.readVMInfo(named: vm.name).state
                #expect(state == .running)
                let findings = try await agent.checkConsistency().findings
                #expect(findings.map(\.code) == ["ruling_unheard"])
            }
            #expect(try cluster.logText().contains("ruling=run_here"))
        }
    }

    @Test("Operators rule, and a controller in its term")
    func controller() async throws {
        try await TestCluster.with { cluster in
            let keys = KeyFolder("\(cluster.folder)/keys/controller-main")
            try cluster.authority.issueCertificate(
                as: .controller, name: HostName("main"), to: keys)
            try await cluster.agent(keys: keys.path) { agent in
                let request = RecoverVM(action: .takeOver, epoch: 1)
                let (leader, deposed) = (agent.commanded(inTerm: 2), agent.commanded(inTerm: 1))
                await problem(.badRequest) {
                    _ = try await agent.recoverVM(with: request, on: VMName("web"))
                }
                await problem(.vmNotFound) {
                    _ = try await leader.recoverVM(with: request, on: VMName("web"))
                }
                await problem(.staleTerm) {
                    _ = try await deposed.recoverVM(with: request, on: VMName("web"))
                }
                await problem(.vmNotFound) {
                    _ = try await leader.readRecoveryInfo(named: VMName("web"))
                }
                await problem(.vmNotFound) {
                    _ = try await leader.readRecoveryInfo(withID: VMID.random())
                }
            }
        }
    }

    @Test("A host that is gone for good need not hear: the VM is an ordinary one again")
    func forgetPeer() async throws {
        try await undecided { cluster, vm in
            try await cluster.start(HostName("host-a"))
            try await cluster.agent { agent in
                try await rule(.takeOver, epoch: 2, vm, agent)
                try await rule(.forgetPeer, epoch: 3, vm, agent)
                #expect(
                    try await agent.readRecoveryInfo(named: vm.name).ledger
                        == LedgerStanding(.owned, epoch: 3)
                )
                #expect(try await agent.readVMInfo(named: vm.name).warning == nil)
                try await agent.deleteVM(named: vm.name)
            }
        }
    }

    @Test("A host that runs the VM and was ruled against stops for good when it is back")
    func overruled() async throws {
        try await undecided { cluster, vm in
            // host-b did take the VM: here, a second guest of the same identity, in epoch 2.
            try FileManager.default.createDirectory(
                atPath: cluster.vmFolder("web", on: "host-b"), withIntermediateDirectories: true)
            try FileManager.default.copyItem(
                atPath: cluster.vmFolder("web") + "/vm.json",
                toPath: cluster.vmFolder("web", on: "host-b") + "/vm.json")
            try cluster.write(
                [
                    .incoming(
                        vm: vm.id, epoch: Epoch(2), from: HostName("host-a"), migration: migration),
                    .owned(vm: vm.id, epoch: Epoch(2), migration: migration),
                ], to: "host-b")
            try await cluster.start(HostName("host-b"))
            try await cluster.agent("host-b") { agent in
                let started = try await agent.performAction(.start, on: vm.name)
                #expect(started.state == .running)
            }
            try cluster.kill("host-b")
            try await cluster.start(HostName("host-a"))
            try await cluster.agent { try await rule(.takeOver, epoch: 2, vm, $0) }

            try await cluster.start(HostName("host-b"))
            try await cluster.agent("host-b") { agent in
                let copy = try await agent.vm(vm.name) {
                    $0.warning?.contains("superseded") == true
                }
                #expect(copy.state == .paused)
                #expect(copy.epoch == 3)
                await problem(.wrongState) {
                    _ = try await agent.performAction(.resume, on: vm.name)
                }
                await problem(.wrongState) {
                    _ = try await agent.performAction(.reset, on: vm.name)
                }
                #expect(
                    try await agent.checkConsistency().findings.map(\.code) == ["overruled_copy"])
            }
            // Also after a restart of its agent.
            try cluster.kill("host-b")
            try await cluster.start(HostName("host-b"))
            try await cluster.agent("host-b") { agent in
                #expect(try await agent.readVMInfo(named: vm.name).state == .paused)
                _ = try await agent.saveVMToFile(named: vm.name, with: SaveVM())
                try await agent.deleteVM(named: vm.name)
                #expect(try await agent.checkConsistency().findings.isEmpty)
            }
            try await cluster.agent { agent in
                let owner = try await agent.vm(vm.name) { $0.warning == nil }
                #expect(owner.state == .running)
                #expect(
                    try await agent.readRecoveryInfo(named: vm.name).ledger
                        == LedgerStanding(.owned, epoch: 3)
                )
                #expect(try await agent.checkConsistency().findings.isEmpty)
            }
        }
    }

    private func rule(
        _ action: RecoveryAction, epoch: UInt64, _ vm: VMInfo, _ agent: AgentClient
    ) async throws {
        _ = try await agent.recoverVM(
            with: RecoverVM(action: action, epoch: epoch, confirm: vm.name), on: vm.name)
    }

    /// Both agents are down; host-a has released its VM, and host-b's ledger says nothing.
    private func undecided(_ body: (TestCluster, VMInfo) async throws -> Void) async throws {
        try await TestCluster.withReleased(by: migration, body)
    }
}
