// What agents do about migrations that another life of theirs left unfinished: ledgers made by hand before they start.

import API
import Clients
import ClusterFile
import Foundation
import Host
import Migration
import Model
import Ownership
import Pulse
import Testing
import VMControl

@Suite("Unfinished migrations at a start", .enabled(if: kvmIsUsable, "needs /dev/kvm"), .serialized)
struct SettlementTests {
    private let migration = MigrationID.random()

    @Test("A VM folder without a ledger keeps an agent from starting; it says what to do")
    func ledgerMissing() async throws {
        try await TestCluster.with { cluster in
            _ = try await cluster.agent { try await $0.createPulse("web", paused: true) }
            try cluster.kill()
            try File.removeIfPresent(at: cluster.ledgerPath())
            let second = try cluster.launch(cluster.file.hosts[0].name)
            #expect(try second.waitForExit(within: .seconds(30)))
            #expect(second.reapIfExited() == .code(1))
            let log = try cluster.logText()
            #expect(log.contains("is missing") && log.contains("folders of web"), "\(log)")
            #expect(!File.isPresent(at: cluster.ledgerPath()))
        }
    }

    @Test("Released to a host that is away: nothing runs until it answers; then it runs here again")
    func neverRan() async throws {
        try await released(there: {
            [.incoming(vm: $0, epoch: Epoch(2), from: $1, migration: migration)]
        }) {
            cluster, vm in
            try await cluster.start(HostName("host-a"))
            try await cluster.agent { agent in
                let found = try await agent.readVMInfo(named: vm.name)
                #expect(found.state == .paused)
                #expect(found.warning?.contains("released to host host-b") == true)
                await problem(.wrongState) {
                    _ = try await agent.performAction(.resume, on: vm.name)
                }
                await problem(.wrongState) { _ = try await agent.performAction(.stop, on: vm.name) }
                await problem(.wrongState) { try await agent.deleteVM(named: vm.name) }
                try await cluster.start(HostName("host-b"))
                let back = try await agent.vm(vm.name) { $0.state == .running }
                #expect(back.epoch == 3)
                #expect(back.warning == nil)
                #expect(try await agent.heartbeat(of: vm.name).errors == 0)
            }
        }
    }

    @Test("Released to a host that took it: what is left here goes, without being asked to")
    func taken() async throws {
        try await released(there: {
            [
                .incoming(vm: $0, epoch: Epoch(2), from: $1, migration: migration),
                .owned(vm: $0, epoch: Epoch(2), migration: migration),
            ]
        }) { cluster, vm in
            try await cluster.start(HostName("host-b"))
            // It owns the VM, and there is nothing of it: nobody may find that out by chance.
            try await cluster.agent("host-b") { agent in
                let lost = try #require(try await agent.listAllVMs().first)
                #expect(lost.id == vm.id)
                #expect(lost.state == .failed)
                #expect(lost.warning?.contains("its folder and process are missing") == true)
                await problem(.kernelUnusable) {
                    _ = try await agent.performAction(.start, on: lost.name)
                }
            }
            try await cluster.start(HostName("host-a"))
            try await cluster.agent { agent in try await agent.gone(vm.name) }
            #expect(!Folder.isPresent(at: cluster.vmFolder("web")))
            try await cluster.agent("host-b") { agent in
                let lost = try #require(try await agent.listAllVMs().first)
                try await agent.deleteVM(named: lost.name)
                #expect(try await agent.listAllVMs().isEmpty)
            }
        }
    }

    @Test("Released, and its folder gone: the ledger is settled, and the loss is shown")
    func folderGone() async throws {
        try await released(there: {
            [.incoming(vm: $0, epoch: Epoch(2), from: $1, migration: migration)]
        }) {
            cluster, vm in
            try killProcess(of: vm)
            try Folder.removeRecursively(at: cluster.vmFolder("web"))
            try await cluster.start(HostName("host-a"))
            try await cluster.start(HostName("host-b"))
            try await cluster.agent { agent in
                let name = try #require(try await agent.listAllVMs().first).name
                let lost = try await agent.vm(name) { $0.epoch == 3 }
                #expect(lost.id == vm.id)
                #expect(lost.warning?.contains("its folder and process are missing") == true)
                try await agent.deleteVM(named: name)
                #expect(try await agent.listAllVMs().isEmpty)
            }
        }
    }

    @Test("Released, and its process gone: it is this host's again, and can be booted")
    func processGone() async throws {
        try await released(there: {
            [.incoming(vm: $0, epoch: Epoch(2), from: $1, migration: migration)]
        }) {
            cluster, vm in
            try killProcess(of: vm)
            try await cluster.start(HostName("host-b"))
            try await cluster.start(HostName("host-a"))
            try await cluster.agent { agent in
                let back = try await agent.vm(vm.name) { $0.epoch == 3 }
                #expect(back.state == .failed)
                #expect(back.warning?.contains("start boots it again") == true)
                let again = try await agent.performAction(.start, on: vm.name)
                #expect(again.state == .running)
                #expect(again.warning == nil)
            }
        }
    }

    @Test("A ledger that cannot take the end of a move keeps the copy still until it can")
    func unrecorded() async throws {
        try await TestCluster.with(hosts: 2) { cluster in
            let vm = try await cluster.agent { try await $0.createPulse("web") }
            try cluster.kill()
            // `released` goes into the last slot; the next record needs a new file, which cannot be made.
            try cluster.shortenLedger(leaving: 1)
            let obstacle = cluster.ledgerPath() + ".new"
            try Folder.createFolder(at: obstacle)
            try await cluster.start(HostName("host-a"))
            try await cluster.agent { agent in
                _ = try await agent.heartbeat(of: vm.name)
                let started = try await agent.startMigration(
                    with: StartMigration(
                        vm: vm.name, to: HostName("host-b"), downtimeLimit: .milliseconds(5000)))
                let moved = try await agent.followMigration(withID: started.id) { _ in }
                #expect(moved.state == .succeeded, "\(String(describing: moved.failure))")
                let copy = try await agent.readVMInfo(named: vm.name)
                #expect(copy.state == .paused)
                #expect(copy.warning?.contains("cannot be written to say so") == true)
                let found = try await agent.readRecoveryInfo(named: vm.name)
                #expect(found.ledger.kind == .released)
            }
            try await cluster.agent("host-b") { agent in
                let beat = try await agent.heartbeat(of: vm.name)
                #expect(beat.errors == 0)
            }
            try Folder.removeRecursively(at: obstacle)
            try await cluster.agent { agent in try await agent.gone(vm.name) }
            try cluster.kill()
            guard case .handedOver = try cluster.ownership(of: vm.id, at: "host-a") else {
                Issue.record("the ledger was not settled")
                return
            }
        }
    }

    @Test("A migration that the agent did not live to see end is listed with what became of it")
    func cutShort() async throws {
        try await released(there: {
            [.incoming(vm: $0, epoch: Epoch(2), from: $1, migration: migration)]
        }) {
            cluster, vm in
            try cluster.remember(migration, of: vm, to: "host-b")
            try await cluster.start(HostName("host-a"))
            try await cluster.agent { agent in
                let info = try await agent.migration(withID: migration)
                #expect(info.state == .failed)
                #expect(info.failure?.code == FailureCode.agentRestarted.rawValue)
                #expect(info.failure?.phase == .handover)
                #expect(info.failure?.vmIsRunning == false)
                try await cluster.start(HostName("host-b"))
                _ = try await agent.vm(vm.name) { $0.state == .running }
                let settled = try await agent.migration(migration) {
                    $0.failure?.vmIsRunning == true
                }
                #expect(settled.failure?.code == FailureCode.agentRestarted.rawValue)
                #expect(settled.failure?.message.contains("runs where it was, at epoch 3") == true)
            }
        }
    }

    @Test("Ended migrations are there after a restart; files that cannot be read are passed over")
    func remembered() async throws {
        try await TestCluster.with(hosts: 2) { cluster in
            try cluster.kill("host-b")
            let (vm, failed) = try await cluster.agent { agent in
                let vm = try await agent.createPulse("web")
                let started = try await agent.startMigration(
                    with: StartMigration(vm: vm.name, to: HostName("host-b")))
                return (vm, try await agent.followMigration(withID: started.id) { _ in })
            }
            #expect(failed.failure?.code == FailureCode.unreachable.rawValue)
            try cluster.kill()
            let cut = MigrationID.random()
            try cluster.remember(cut, of: vm, to: "host-b")
            let folder = "\(cluster.folder)/state/hosts/host-a/migrations"
            try AtomicFile.writeBytes(Array("{".utf8), to: "\(folder)/\(MigrationID.random()).json")
            try await cluster.start(HostName("host-a"))
            try await cluster.agent { agent in
                #expect(try await agent.migration(withID: failed.id) == failed)
                let info = try await agent.migration(withID: cut)
                #expect(info.failure?.code == FailureCode.agentRestarted.rawValue)
                #expect(info.failure?.vmIsRunning == true)
                #expect(try await agent.migrations().count == 2)
            }
            #expect(try cluster.logText().contains("cannot be read from the history"))
        }
    }

    @Test("A restored VM says from which file it came, and why it cannot boot again")
    func restored() async throws {
        try await TestCluster.with { cluster in
            try await cluster.agent { agent in
                let vm = try await agent.createPulse("web", paused: true)
                let saved = try await agent.saveVMToFile(named: vm.name, with: SaveVM())
                let twin = try await agent.restoreVM(
                    with: RestoreVM(path: saved.path, name: VMName("twin"), paused: true))
                #expect(twin.restoredFrom == saved.path)
                _ = try await agent.performAction(.stop, on: twin.name)
                do {
                    _ = try await agent.performAction(.start, on: twin.name)
                    Issue.record("it was started")
                } catch let ClientError.problem(problem, _) {
                    #expect(problem.knownCode == .kernelUnusable)
                    #expect(problem.detail.contains(saved.path), "\(problem.detail)")
                }
            }
        }
    }

    private func released(
        there: (VMID, HostName) -> [LedgerRecord],
        _ body: (TestCluster, VMInfo) async throws -> Void
    ) async throws {
        try await TestCluster.withReleased(by: migration, there: there, body)
    }
}

extension TestCluster {
    /// Both agents of a cluster are down. host-a has a pulse VM whose ledger says that it was released to host-b;
    /// host-b's ledger has the records that `there` makes of the VM and host-a.
    static func withReleased(
        by migration: MigrationID, there: (VMID, HostName) -> [LedgerRecord] = { _, _ in [] },
        _ body: (TestCluster, VMInfo) async throws -> Void
    ) async throws {
        try await with(hosts: 2) { cluster in
            let vm = try await cluster.agent { agent in
                let vm = try await agent.createPulse("web")
                _ = try await agent.heartbeat(of: vm.name)
                return vm
            }
            try cluster.kill("host-a")
            try cluster.kill("host-b")
            try cluster.write(
                [
                    .released(
                        vm: vm.id, epoch: Epoch(2), to: HostName("host-b"), migration: migration)
                ], to: "host-a")
            try cluster.write(there(vm.id, HostName("host-a")), to: "host-b")
            try await body(cluster, vm)
        }
    }

    func ledgerPath(_ host: String = "host-a") -> String { "\(folder)/state/hosts/\(host)/ledger" }

    /// Only while the host's agent is down.
    func write(_ records: [LedgerRecord], to host: String) throws {
        let ledger = try LedgerFile(path: ledgerPath(host))
        for record in records { try ledger.appendRecord(record) }
    }

    /// Only while host-a's agent is down: its ledger has room for so many records more.
    func shortenLedger(leaving free: Int) throws {
        let used = try LedgerFile(path: ledgerPath()).checkIntegrity().used
        let file = try FileHandle(forUpdating: URL(filePath: ledgerPath()))
        try file.truncate(atOffset: UInt64((1 + used + free) * 128))
        try file.close()
    }

    func ownership(of vm: VMID, at host: String) throws -> Ownership? {
        try LedgerFile(path: ledgerPath(host)).ownership(of: vm)
    }

    /// A migration that host-a's agent began and did not see end.
    func remember(_ id: MigrationID, of vm: VMInfo, to destination: String) throws {
        let info = MigrationInfo(
            id: id, vm: vm.name, vmID: vm.id, source: vm.host,
            destination: try HostName(destination), startedAtMs: 1, state: .running)
        try AtomicFile.writeBytes(
            Array(JSONEncoder().encode(info)),
            to: "\(folder)/state/hosts/host-a/migrations/\(id).json")
    }
}

extension AgentClient {
    /// Asks until the VM is as wanted.
    func vm(_ name: VMName, until isWanted: (VMInfo) -> Bool) async throws -> VMInfo {
        try await asked({ try await readVMInfo(named: name) }, until: isWanted)
    }

    func migration(
        _ id: MigrationID, until isWanted: (MigrationInfo) -> Bool
    ) async throws -> MigrationInfo {
        try await asked({ try await migration(withID: id) }, until: isWanted)
    }

    func gone(_ name: VMName) async throws {
        _ = try await asked({ try await listAllVMs() }) { !$0.contains { $0.name == name } }
    }

    private func asked<Value>(
        _ ask: () async throws -> Value, until isWanted: (Value) -> Bool
    ) async throws -> Value {
        let end = Instant.now + .seconds(60)
        while true {
            let value = try await ask()
            if isWanted(value) { return value }
            guard Instant.now < end else {
                throw TestClusterError.neverAsWanted("\(value)")
            }
            try await Task.sleep(for: .milliseconds(50))
        }
    }
}
