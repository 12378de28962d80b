// Real processes on loopback: agents, VMs and the `ferry` command. One test after another: they share two cores.

import API
import Clients
import Foundation
import Host
import Model
import Pulse
import Testbed
import Testing

/// All end-to-end tests, in order.
@Suite("End to end", .serialized, .enabled(if: kvmIsUsable, "needs a usable /dev/kvm"))
struct EndToEnd {}

let kvmIsUsable = unsafe access("/dev/kvm", R_OK | W_OK) == 0

/// Runs a test in a fresh cluster, and takes the cluster down whatever comes of it.
func withCluster(
    hosts: [String] = ["host-a", "host-b", "host-c"], control: LocalControl = LocalControl(),
    _ body: (LocalCluster) async throws -> Void
) async throws {
    let cluster = try await LocalCluster.startTemporary(hosts: hosts, control: control)
    do { try await body(cluster) } catch {
        // The test's own error is the one to tell.
        try? await cluster.tearDown()
        throw error
    }
    try await cluster.tearDown()
}

/// A running pulse guest that has filled its memory, watched on every host.
func withPulse(
    _ cluster: LocalCluster, name: String = "pulse", memory: ByteCount = .mebibytes(128),
    vcpus: Int = 1, options: PulseOptions = .busy,
    _ body: (VMName, PulseWatch) async throws -> Void
) async throws {
    let vm = try VMName(name)
    let watch = try PulseWatch(vm, in: cluster)
    defer { watch.stopWatching() }
    _ = try await cluster.agentClient(for: cluster.hosts[0]).createVM(
        with: CreateVM(
            VMSpec(
                name: vm, memory: memory, vcpus: vcpus, commandLine: try options.commandLine())))
    try await watch.waitUntilFilled()
    try await body(vm, watch)
}

/// Ends an agent as a crash would.
func killAgent(_ host: HostName, _ cluster: LocalCluster) async throws {
    let process = try ProcessHandle(
        try await cluster.agentClient(for: host).readHostInfo().processID)
    try process.sendSignal(SIGKILL)
    #expect(try process.waitForExit(within: .seconds(10)))
}

extension PulseOptions {
    /// 96 MiB of mixed pages, 16 MiB of them written at 5,000 pages a second.
    static let busy = PulseOptions(
        fillBytes: 96 << 20, workingSetBytes: 16 << 20, rate: .pagesPerSecond(5000),
        content: .mixed, period: .milliseconds(50))
}

/// The guest found no wrong page, missed no heartbeat and repeated none; its whole memory is right.
func expectUnharmed(_ watch: PulseWatch, on host: HostName) async throws {
    #expect(try await watch.verifyAll(on: host) == 0)
    let trace = watch.trace
    #expect(trace.errors == 0)
    #expect(trace.firstBreak == nil)
}

extension LocalCluster {
    /// Moves a VM with a limit on its pause that a busy machine keeps too. A disk that stalls for seconds in the
    /// handover makes a migration fail with the VM running where it was: that is right, and is tried again.
    func move(
        _ vm: VMName, from source: HostName, to destination: HostName, streams: Int? = nil,
        compression: Compression? = nil
    ) async throws -> MigrationInfo {
        for _ in 1...3 {
            let migration = try await migrateVM(
                vm, from: source, to: destination, streams: streams, pageCompression: compression,
                downtimeLimit: .milliseconds(10_000))
            if migration.failure?.vmIsRunning != true { return migration }
        }
        throw TestbedError("three migrations of \(vm) failed")
    }
}
