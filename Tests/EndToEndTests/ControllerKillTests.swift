// Controllers that die at any moment while the cluster is in use: nothing that was acknowledged is lost, nothing is
// there twice, and no guest notices.

import API
import Clients
import Foundation
import Host
import Model
import Pulse
import Testbed
import Testing

extension EndToEnd {
    @Suite("Controllers that are killed")
    struct ControllerKillTests {
        /// FERRY_KILLS and FERRY_KILL_SEED make it longer, or the same again; see Scripts/kills.
        static let kills =
            ProcessInfo.processInfo.environment["FERRY_KILLS"].flatMap { Int($0) } ?? 8
        static let seed =
            ProcessInfo.processInfo.environment["FERRY_KILL_SEED"].flatMap { UInt64($0) }
            ?? UInt64.random(in: 0...999_999)
        static let lasting = 4

        @Test("at random moments of creates, deletes, drains, moves and balance runs")
        func randomMoments() async throws {
            print("the seed is \(Self.seed)")
            let control = LocalControl(controllers: ["controller-1"])
            try await withCluster(control: control) { cluster in
                let controller = try #require(cluster.controller)
                let workload = ClusterWorkload(
                    cluster, controller, lasting: Self.lasting, seed: Self.seed)
                let watches = try (0..<Self.lasting).map { number in
                    try GuestWatch(ClusterWorkload.lastingName(number), in: cluster)
                }
                defer { for watch in watches { watch.pulse.stopWatching() } }
                try await workload.createLasting()
                for watch in watches { try await watch.pulse.waitForBeats(count: 2) }

                async let work: Void = workload.run()
                try await killAgainAndAgain(cluster)
                await workload.stop()
                try await work

                let violations = try await ClusterInspection(cluster).findViolations(
                    expecting: await workload.expected, within: .seconds(60))
                #expect(violations == [], "seed \(Self.seed)")
                let done = await workload.done
                #expect(done["creates", default: 0] > Self.lasting, "\(done)")
                for watch in watches { try await watch.expectUnharmed() }
            }
        }

        private func killAgainAndAgain(_ cluster: LocalCluster) async throws {
            var random = SplitMix64(seed: Self.seed &+ 1)
            let name = cluster.controllers[0]
            for _ in 0..<Self.kills {
                // Also within the first half second, when it has hardly read its store.
                try await Task.sleep(for: .milliseconds(300 + random.drawNumber(below: 5000)))
                let process = try cluster.controllerProcess(named: name)
                try process.sendSignal(SIGKILL)
                #expect(try process.waitForExit(within: .seconds(10)))
                _ = try cluster.startController(named: name)
            }
        }
    }
}

/// A guest that is watched from its start: its heartbeats, and who runs it.
struct GuestWatch {
    let pulse: PulseWatch
    private let owners: OwnerWatch

    init(_ vm: VMName, in cluster: LocalCluster) throws {
        pulse = try PulseWatch(vm, in: cluster)
        owners = try OwnerWatch(vm, in: cluster)
    }

    /// Still beating, none lost or repeated, no wrong page, never on two hosts.
    func expectUnharmed() async throws {
        try await pulse.waitForBeats(count: 3)
        let trace = pulse.trace
        #expect(trace.firstBreak == nil, "\(pulse.vm)")
        #expect(trace.errors == 0, "\(pulse.vm)")
        #expect(owners.finishWatching() == [])
    }
}
