// Ferry moves the guest between two agents on this machine, over the same loopback.

import API
import Clients
import Foundation
import Host
import Model
import Testbed

/// One way to migrate with Ferry.
struct FerryContestant: Contestant {
    let name: String
    let compression: Compression
    let streams: Int

    static let all = [
        FerryContestant(name: "ferry-none", compression: .none, streams: 2),
        FerryContestant(name: "ferry-auto", compression: .auto, streams: 2),
    ]

    func measureMigration(under load: Load, folder: String) async throws -> Measurement {
        let cluster = try await LocalCluster.startTemporary(hosts: ["host-a", "host-b"])
        do {
            let measurement = try await migrateGuest(under: load, on: cluster)
            try await cluster.tearDown()
            return measurement
        } catch {
            // The measurement's own error is the one to tell.
            try? await cluster.tearDown()
            throw error
        }
    }

    private func migrateGuest(under load: Load, on cluster: LocalCluster) async throws
        -> Measurement
    {
        let vm = try VMName("bench")
        let (source, destination) = (cluster.hosts[0], cluster.hosts[1])
        let watch = try PulseWatch(vm, in: cluster)
        defer { watch.stopWatching() }
        let created = try await cluster.agentClient(for: source).createVM(
            with: CreateVM(
                VMSpec(
                    name: vm, memory: load.memory, commandLine: load.commandLine,
                    kernel: .files(kernel: load.guestPath, initrd: nil))))
        try await load.waitUntilReady { watch.lines }

        let agents = [
            try await cluster.agentClient(for: source).readHostInfo().processID,
            try await cluster.agentClient(for: destination).readHostInfo().processID,
        ]
        guard let sourceVMM = created.processID else { throw PeerError("no process of \(vm)") }
        let meter = try CPUMeter(processes: agents + [sourceVMM])
        let wireBefore = try loopbackBytes()
        let start = Instant.now
        let migration = try await cluster.migrateVM(
            vm, from: source, to: destination, streams: streams, pageCompression: compression,
            downtimeLimit: .milliseconds(load.downtimeLimitMs))
        let wireAfter = try loopbackBytes()
        var cpu = meter.stopMeasuring()
        guard let report = migration.report else {
            throw PeerError("Ferry's migration failed: \(migration.failure?.message ?? "?")")
        }
        // The destination's vmm began with the migration: all of its CPU time counts.
        if let id = try await cluster.agentClient(for: destination).readVMInfo(named: vm).processID
        {
            cpu += ProcessFacts(id)?.cpuSeconds ?? 0
        }
        let trace = try await load.waitUntilSettled(after: .now) { watch.lines }
        return Measurement(
            totalMs: report.totalMs, downtimeMs: report.downtimeMs,
            longestHeartbeatGapMs: trace.longestGap(from: start, to: .now).milliseconds,
            cpuSeconds: cpu, wireMiB: Double(wireAfter - wireBefore) / Double(1 << 20),
            guestErrors: trace.errors)
    }
}
