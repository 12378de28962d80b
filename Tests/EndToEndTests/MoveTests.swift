import API
import Clients
import Host
import Model
import Pulse
import Synchronization
import Testbed
import Testing

extension EndToEnd {
    @Suite("A VM under load moves among three agents")
    struct MoveTests {
        static let ways: [(streams: Int, compression: Compression)] = [1, 4].flatMap { streams in
            Compression.allCases.map { (streams, $0) }
        }

        @Test("ten times, with each number of streams and each compression")
        func everyWay() async throws {
            try await withCluster { cluster in
                try await withPulse(cluster) { vm, watch in
                    let owners = try OwnerWatch(vm, in: cluster)
                    var route = Route(cluster.hosts)
                    for way in Self.ways {
                        for _ in 1...10 {
                            let (source, destination) = route.next()
                            let migration = try await cluster.move(
                                vm, from: source, to: destination, streams: way.streams,
                                compression: way.compression)
                            try expectVerified(migration, way.streams)
                        }
                        try await watch.waitForBeats(count: 2)
                        #expect(watch.trace.errors == 0)
                    }
                    try await expectUnharmed(watch, on: route.position)
                    #expect(owners.finishWatching() == [])
                }
            }
        }

        @Test("with two vCPUs, 5 GiB across the hole below 4 GiB, and comes back")
        func twoCPUsAboveTheHole() async throws {
            try await withCluster(hosts: ["host-a", "host-b"]) { cluster in
                var options = PulseOptions.busy
                // Every page of the low 3 GiB would take long to fill; the guest's tables and the last pages lie high.
                options.fillBytes = 3500 << 20
                options.content = .mixed
                try await withPulse(
                    cluster, memory: .gibibytes(5), vcpus: 2, options: options
                ) { vm, watch in
                    let (a, b) = (cluster.hosts[0], cluster.hosts[1])
                    try expectVerified(try await cluster.move(vm, from: a, to: b), 2)
                    try expectVerified(try await cluster.move(vm, from: b, to: a), 2)
                    try await expectUnharmed(watch, on: a)
                }
            }
        }

        @Test("and the agent's own memory stays bounded")
        func agentMemory() async throws {
            try await withCluster(hosts: ["host-a", "host-b"]) { cluster in
                try await withPulse(cluster, memory: .gibibytes(1)) { vm, _ in
                    let agents = [
                        try await cluster.agentClient(for: cluster.hosts[0]).readHostInfo()
                            .processID,
                        try await cluster.agentClient(for: cluster.hosts[1]).readHostInfo()
                            .processID,
                    ]
                    let peak = try PeakMemory(of: agents)
                    try expectVerified(
                        try await cluster.move(
                            vm, from: cluster.hosts[0], to: cluster.hosts[1], streams: 4), 4)
                    let limit =
                        UInt64(64 << 20) + 16 * ByteCount.gibibytes(1).bytes / UInt64(pageBytes)
                    for bytes in peak.finishWatching() { #expect(bytes > 0 && bytes < limit) }
                }
            }
        }

        private func expectVerified(_ migration: MigrationInfo, _ streams: Int) throws {
            let report = try #require(
                migration.report, "\(migration.failure?.message ?? "no failure")")
            #expect(report.pagesSent > report.zeroPages)
            #expect(report.memoryRoot.count == 32)
            #expect(report.streams == streams)
            #expect(report.downtimeMs > 0)
            let phases = report.phases.filter(\.isDowntime).reduce(0) { $0 + $1.durationMs }
            #expect(abs(phases - report.downtimeMs) < 1 + report.downtimeMs / 10)
        }
    }
}

/// a → b → c → a …
private struct Route {
    private let hosts: [HostName]
    private var index = 0

    init(_ hosts: [HostName]) { self.hosts = hosts }

    var position: HostName { hosts[index] }

    mutating func next() -> (HostName, HostName) {
        let source = position
        index = (index + 1) % hosts.count
        return (source, position)
    }
}
