// What an operator sees and does about a VM that two hosts cannot settle, with the `ferry` command.

import API
import Clients
import Foundation
import Host
import Migration
import Model
import Ownership
import Pulse
import Testbed
import Testing

extension EndToEnd {
    @Suite("A handover that was never answered")
    struct RecoveryTests {
        @Test("a destination that is back after a crash in the handover: settled without a word")
        func settled() async throws {
            try await withReleased(destination: {
                [.incoming(vm: $0, epoch: Epoch(2), from: $1, migration: $2)]
            }) {
                cluster, vm, watch in
                try await watch.waitForBeats(count: 2)
                try await expectUnharmed(watch, on: cluster.hosts[0])
                let check = try await cluster.runFerry("agent", "check")
                #expect(check.exitCode == 0, "\(check.output) \(check.errors)")
                #expect(check.output.contains("nothing to look at"), "\(check.output)")
            }
        }

        @Test("a destination whose ledger can give no answer: shown, ruled about, and clean again")
        func ruled() async throws {
            // A new ledger, say, after a disk was lost.
            try await withReleased(destination: { _, _, _ in [] }) { cluster, vm, watch in
                let check = try await cluster.runFerry("agent", "check")
                #expect(check.exitCode == 9, "\(check.output) \(check.errors)")
                #expect(check.output.contains("[unsettled]"), "\(check.output)")

                let picture = try await cluster.runFerry("vm", "recover", vm.text)
                #expect(picture.exitCode == 0, "\(picture.errors)")
                #expect(
                    picture.output.contains("released to host-b at epoch 2"), "\(picture.output)")
                #expect(
                    picture.output.contains("--run-here host-a (NOT SAFE)"), "\(picture.output)")
                let json = try await cluster.runFerry("vm", "recover", vm.text, "--output", "json")
                #expect(json.output.contains("\"ruling\" : \"run_here\""), "\(json.output)")

                let unconfirmed = try await cluster.runFerry(
                    "vm", "recover", vm.text, "--run-here", "host-a")
                #expect(unconfirmed.exitCode == 4, "\(unconfirmed.output)")
                #expect(unconfirmed.errors.contains("two copies"), "\(unconfirmed.errors)")
                #expect(unconfirmed.errors.contains("[not_confirmed]"), "\(unconfirmed.errors)")
                let elsewhere = try await cluster.runFerry(
                    "vm", "recover", vm.text, "--run-here", "host-b", "--confirm", vm.text)
                #expect(elsewhere.exitCode == 4, "\(elsewhere.output)")
                let unknown = try await cluster.runFerry("vm", "recover", "nobody")
                #expect(unknown.exitCode == 3, "\(unknown.errors)")

                let before = Instant.now
                let ruled = try await cluster.runFerry(
                    "vm", "recover", vm.text, "--run-here", "host-a", "--confirm", vm.text)
                #expect(ruled.exitCode == 0, "\(ruled.errors)")
                try await watch.waitForLine(describedAs: "the guest runs on", after: before) {
                    if case .heartbeat = $0 { true } else { false }
                }
                // host-b never took it, and says so when it is told: then nothing is in doubt any more.
                let source = try cluster.agentClient(for: cluster.hosts[0])
                let end = Instant.now + .seconds(60)
                while try await source.readRecoveryInfo(named: vm).ledger.kind != .owned,
                    Instant.now < end
                {
                    try await Task.sleep(for: .milliseconds(100))
                }
                let clean = try await cluster.runFerry("agent", "check", "--output", "json")
                #expect(clean.exitCode == 0, "\(clean.output)")
                try await expectUnharmed(watch, on: cluster.hosts[0])
                let moved = try await cluster.move(
                    vm, from: cluster.hosts[0], to: cluster.hosts[1])
                #expect(moved.state == .succeeded, "\(moved.failure?.message ?? "")")
            }
        }

        @Test("a check without an answer from every host is exit code 5; no VM, no host: 3")
        func silentHost() async throws {
            try await withCluster(hosts: ["host-a", "host-b"]) { cluster in
                try await killAgent(cluster.hosts[1], cluster)
                let check = try await cluster.runFerry("agent", "check")
                #expect(check.exitCode == 5, "\(check.output)")
                #expect(check.output.contains("[host_silent]"), "\(check.output)")
                #expect(try await cluster.runFerry("agent", "check", "host-a").exitCode == 0)
                #expect(try await cluster.runFerry("agent", "check", "host-b").exitCode == 5)
                #expect(try await cluster.runFerry("agent", "check", "host-z").exitCode == 3)
                let recover = try await cluster.runFerry("vm", "recover", "web")
                #expect(recover.exitCode == 5, "\(recover.output)")
            }
        }

        /// The agents were killed in a handover, after the source's ledger said `released`; both are back.
        /// - Parameter destination: what host-b's ledger says of the VM, that comes from this host by this migration.
        private func withReleased(
            destination: (VMID, HostName, MigrationID) -> [LedgerRecord],
            _ body: (LocalCluster, VMName, PulseWatch) async throws -> Void
        ) async throws {
            try await withCluster(hosts: ["host-a", "host-b"]) { cluster in
                let (a, b) = (cluster.hosts[0], cluster.hosts[1])
                try await withPulse(cluster) { vm, watch in
                    let id = try await cluster.agentClient(for: a).readVMInfo(named: vm).id
                    for host in cluster.hosts { try await killAgent(host, cluster) }
                    let migration = MigrationID.random()
                    try LedgerFile(path: cluster.ledgerPath(of: a)).appendRecord(
                        .released(vm: id, epoch: Epoch(2), to: b, migration: migration))
                    let ledger = try LedgerFile(path: cluster.ledgerPath(of: b))
                    for record in destination(id, a, migration) { try ledger.appendRecord(record) }
                    _ = consume ledger
                    try await cluster.startAgents()
                    try await body(cluster, vm, watch)
                }
            }
        }
    }
}
