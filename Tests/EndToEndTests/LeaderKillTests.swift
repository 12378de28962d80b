// Three controllers on one etcd: the leader dies, or stands still and comes back, while a host is drained.

import API
import Clients
import Foundation
import Host
import Model
import Pulse
import StoreTestSupport
import Testbed
import Testing

extension EndToEnd {
    @Suite(
        "A leader that is lost in a drain",
        .enabled(if: TestEtcd.isInstalled, Comment(rawValue: TestEtcd.whySkipped)))
    struct LeaderKillTests {
        static let takeoverMax = Duration.seconds(10)
        static let guests = 4

        @Test("by SIGKILL: another one leads within 10 s and finishes the drain")
        func killed() async throws {
            try await withDrain { cluster, drain, leader in
                let process = try cluster.controllerProcess(named: leader)
                let start = Instant.now
                try process.sendSignal(SIGKILL)
                try await expectTakeover(cluster, from: leader, since: start)
                try await expectDrained(cluster, drain)
            }
        }

        @Test(
            "by SIGSTOP: another one finishes the drain, and the old one does no harm when it goes on"
        )
        func stopped() async throws {
            try await withDrain { cluster, drain, leader in
                let process = try cluster.controllerProcess(named: leader)
                let start = Instant.now
                try process.sendSignal(SIGSTOP)
                do { try await expectTakeover(cluster, from: leader, since: start) } catch {
                    try process.sendSignal(SIGCONT)
                    throw error
                }
                // In the middle of what its successor does.
                try process.sendSignal(SIGCONT)
                try await expectDrained(cluster, drain)
                let old = try cluster.makeControllerClient(for: leader)
                let error = await #expect(throws: ClientError.self) {
                    try await old.readClusterInfo()
                }
                guard case .problem(let problem, _) = error else { return }
                #expect(problem.knownCode == .notLeader)
            }
        }

        /// Guests on the first host, watched, and a drain of it that has just begun.
        private func withDrain(
            _ body: (LocalCluster, OperationInfo, HostName) async throws -> Void
        ) async throws {
            let etcd = try TestEtcd()
            // Until the cluster has ended.
            defer { withExtendedLifetime(etcd) {} }
            let control = LocalControl(
                controllers: ["controller-1", "controller-2", "controller-3"],
                configuration: """
                    store:
                      kind: etcd
                      endpoints: ["\(etcd.url)"]
                    control:
                      heartbeat: 1s
                      host-lease: 12s
                      controller-lease: 3s

                    """)
            try await withCluster(control: control) { cluster in
                let controller = try #require(cluster.controller)
                var watches: [GuestWatch] = []
                defer { for watch in watches { watch.pulse.stopWatching() } }
                var expected: [VMName: VMID] = [:]
                for number in 0..<Self.guests {
                    let name = try ClusterWorkload.lastingName(number)
                    watches.append(try GuestWatch(name, in: cluster))
                    var request = CreateClusterVM(
                        VMSpec(
                            name: name, memory: .mebibytes(64),
                            downtimeLimit: .milliseconds(10_000),
                            commandLine: try ClusterWorkload.pulse.commandLine()))
                    request.startOn = cluster.hosts[0]
                    expected[name] = try await controller.createVM(with: request).id
                }
                for watch in watches { try await watch.pulse.waitUntilFilled() }
                let leader = try #require(try await controller.readClusterInfo().leader)
                let drain = try await controller.drainHost(
                    named: cluster.hosts[0], with: DrainHost(parallel: 1))
                try await body(cluster, drain, leader)
                let violations = try await ClusterInspection(cluster).findViolations(
                    expecting: expected, within: .seconds(30))
                #expect(violations == [])
                for watch in watches { try await watch.expectUnharmed() }
            }
        }

        private func expectTakeover(
            _ cluster: LocalCluster, from leader: HostName, since start: Instant
        ) async throws {
            let others = try cluster.controllers.filter { $0 != leader }
                .map { try cluster.makeControllerClient(for: $0) }
            var next: HostName?
            while next == nil {
                try #require(Instant.now - start < Self.takeoverMax, "nobody took over")
                for other in others {
                    // It does not lead, or does not know of a leader yet.
                    guard let info = try? await other.readClusterInfo() else { continue }
                    if let found = info.leader, found != leader, info.controller == found {
                        next = found
                    }
                }
                try await Task.sleep(for: .milliseconds(50))
            }
            print("\(next?.text ?? "") leads \(Instant.now - start) after \(leader) was lost")
        }

        private func expectDrained(_ cluster: LocalCluster, _ drain: OperationInfo) async throws {
            let controller = try #require(cluster.controller)
            let end = Instant.now + .seconds(60)
            var last = drain
            while !last.isOver, Instant.now < end {
                try await Task.sleep(for: .milliseconds(200))
                // Whoever leads is about to change.
                if let now = try? await controller.operation(withID: drain.id) { last = now }
            }
            #expect(last.state == .succeeded, "\(last.state): \(last.detail ?? "no reason")")
            #expect(try await cluster.agentClient(for: cluster.hosts[0]).listAllVMs().isEmpty)
        }
    }
}
