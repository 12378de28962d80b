// Real agents and VMs with a proxy between: connections that break in pre-copy, rehearsals, the audit.

import API
import Clients
import ClusterFile
import Foundation
import Host
import MigrationTestSupport
import Model
import Pulse
import Testing

@Suite(
    "Migrations over a connection that breaks", .enabled(if: kvmIsUsable, "needs /dev/kvm"),
    .serialized)
struct BrokenMigrationTests {
    @Test("A cut at half of memory costs what was in flight, and no page is lost")
    func cutAtHalf() async throws {
        try await withProxy { cluster, proxy, a, b in
            let vm = try await a.createFilled("web")
            // Mixed pages travel raw: about as many bytes as pages.
            proxy.cut(after: [proxy.forwarded + 64 << 20])
            let ended = try await migrate(vm.name, from: a, to: b, compression: Compression.none)
            let report = try #require(ended.report, "\(String(describing: ended.failure))")
            #expect(report.reconnects == 1)
            #expect(report.bytesSentAgain < 56 << 20)
            print(
                "sent again after a cut at 64 of 128 MiB: \(report.bytesSentAgain >> 10) KiB")
            let beat = try await b.heartbeat(of: vm.name)
            #expect(beat.errors == 0)
            let audited = try await audit(of: ended.id, at: a)
            #expect(audited.state == .clean && audited.pages == (256 << 20) / 4096)
            print("audit: \(audited.durationMs / 250) s/GiB")
            try await eventually { !Folder.isPresent(at: cluster.vmFolder("web")) }
        }
    }

    @Test("What is kept shows why, and goes when it is deleted; the VM runs on where it was")
    func keptAndDeleted() async throws {
        try await withProxy { cluster, proxy, a, b in
            let vm = try await a.createFilled("web")
            let started = try await a.startMigration(
                with: StartMigration(vm: vm.name, to: b.name, compression: Compression.none))
            try await eventually { proxy.forwarded >= 20 << 20 }
            proxy.cut(mended: false)
            try await eventually {
                let kept = try? await b.readVMInfo(named: vm.name)
                return kept?.state == .incoming && kept?.warning?.contains("is kept until") == true
            }
            try await eventually {
                try await a.migration(withID: started.id).progress?.reconnectAttempt != nil
            }
            try await b.deleteVM(named: vm.name)
            await problem(.vmNotFound) { _ = try await b.readVMInfo(named: vm.name) }
            #expect(!Folder.isPresent(at: cluster.vmFolder("web", on: "host-b")))
            _ = try await a.cancelMigration(withID: started.id)
            let ended = try await a.followMigration(withID: started.id) { _ in }
            #expect(ended.state == .cancelled && ended.failure?.vmIsRunning == true)
            #expect(try await a.heartbeat(of: vm.name).errors == 0)
        }
    }

    @Test("A rehearsal says what a migration would, and leaves nothing but its answer")
    func rehearsal() async throws {
        try await withProxy { cluster, _, a, b in
            let vm = try await a.createFilled("web")
            let started = try await a.startMigration(
                with: StartMigration(
                    vm: vm.name, to: b.name, downtimeLimit: .milliseconds(5000), rehearse: true))
            let ended = try await a.followMigration(withID: started.id) { _ in }
            #expect(ended.state == .rehearsed && ended.failure == nil)
            let rehearsal = try #require(ended.report?.rehearsal)
            print("rehearsal: paused \(rehearsal.pauseMs) ms, load \(rehearsal.loadMs) ms")
            #expect(rehearsal.pauseMs > 0 && rehearsal.pauseMs < 1000)
            #expect(rehearsal.downtimeLowerMs < rehearsal.downtimeMs)
            #expect(rehearsal.downtimeMs < rehearsal.downtimeUpperMs)
            let stays = try await a.readVMInfo(named: vm.name)
            #expect(stays.state == .running && stays.epoch == 1 && stays.activity == nil)
            #expect(try await a.heartbeat(of: vm.name).errors == 0)
            try await eventually { try await b.listAllVMs().isEmpty }
            try await eventually { !Folder.isPresent(at: cluster.vmFolder("web", on: "host-b")) }

            let moved = try await migrate(vm.name, from: a, to: b)
            #expect(moved.state == .succeeded)
            #expect(try await b.heartbeat(of: vm.name).errors == 0)
        }
    }

    @Test("Without an audit what was left behind goes at once")
    func withoutAudit() async throws {
        try await withProxy { cluster, _, a, b in
            let vm = try await a.createFilled("web")
            let ended = try await migrate(vm.name, from: a, to: b, audit: false)
            #expect(ended.report?.audit.state == .off)
            #expect(!Folder.isPresent(at: cluster.vmFolder("web")))
        }
    }

    // MARK: What the tests share

    /// Two agents; host-a reaches host-b through a proxy.
    private func withProxy(
        _ body: (TestCluster, CuttableProxy, AgentClient, AgentClient) async throws -> Void
    ) async throws {
        try await TestCluster.with(hosts: 2) { cluster in
            let b = try #require(cluster.file.findHost(named: HostName("host-b")))
            let proxy = try CuttableProxy(to: b.peer)
            defer { proxy.end() }
            try cluster.kill()
            try await cluster.start(HostName("host-a"), seeing: b.name, at: proxy.address)
            try await cluster.client { client in
                try await body(
                    cluster, proxy, try #require(client.agentClient(named: HostName("host-a"))),
                    try #require(client.agentClient(named: b.name)))
            }
        }
    }

    private func migrate(
        _ vm: VMName, from source: AgentClient, to destination: AgentClient,
        compression: Compression? = nil, audit: Bool? = nil
    ) async throws -> MigrationInfo {
        let started = try await source.startMigration(
            with: StartMigration(
                vm: vm, to: destination.name, downtimeLimit: .milliseconds(5000),
                compression: compression,
                audit: audit))
        return try await source.followMigration(withID: started.id) { _ in }
    }

    private func audit(of id: MigrationID, at agent: AgentClient) async throws -> VerificationInfo {
        try await eventually {
            try await agent.migration(withID: id).report?.audit.state != .running
        }
        return try #require(try await agent.migration(withID: id).report?.audit)
    }
}

extension AgentClient {
    /// A pulse guest with 128 MiB of pages that compress badly, once it has filled them.
    fileprivate func createFilled(_ name: String) async throws -> VMInfo {
        let vm = try await createVM(
            with: CreateVM(
                VMSpec(
                    name: VMName(name), memory: .mebibytes(256),
                    commandLine: PulseOptions(
                        fillBytes: 128 << 20, workingSetBytes: 4 << 20,
                        rate: .pagesPerSecond(1000), content: .random, period: .milliseconds(20)
                    ).commandLine())))
        try await line(of: vm.name) { if case .filled = $0 { () } else { nil } }
        return vm
    }
}

/// Waits, not for ever, until it is so.
func eventually(_ isSo: () async throws -> Bool) async throws {
    let end = Instant.now + .seconds(20)
    while try await !isSo() {
        guard Instant.now < end else { throw TestClusterError.neverAsWanted("after 20 s") }
        try await Task.sleep(for: .milliseconds(10))
    }
}
