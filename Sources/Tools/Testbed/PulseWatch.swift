// A pulse guest in a cluster, seen from outside: its console on every host, in order of arrival.

import API
import Clients
import Foundation
package import Host
package import Model
package import Pulse

/// Watches one pulse VM's console on all hosts at once, so that no heartbeat is missed when it moves.
package final class PulseWatch: Sendable {
    package let vm: VMName
    private let cluster: LocalCluster
    private let recorder: ConsoleRecorder

    package init(_ vm: VMName, in cluster: LocalCluster) throws {
        self.vm = vm
        self.cluster = cluster
        recorder = try ConsoleRecorder(
            socketPaths: cluster.hosts.map {
                cluster.vmStateFolder(of: vm, on: $0) + "/console.sock"
            })
    }

    package var lines: [ConsoleLine] { recorder.lines }
    package var trace: HeartbeatTrace { HeartbeatTrace(recorder.lines) }

    /// The first line that `match` accepts, of those that came after `start`.
    package func waitForLine(
        describedAs what: String, after start: Instant = Instant(nanoseconds: 0),
        within limit: Duration = .seconds(60), matching match: (PulseLine) -> Bool
    ) async throws {
        let deadline = Instant.now + limit
        while true {
            let isThere = recorder.lines.contains {
                $0.arrival >= start && match(PulseLine($0.text))
            }
            if isThere { return }
            guard Instant.now < deadline else {
                let last = recorder.lines.suffix(3).map(\.text).joined(separator: " | ")
                throw TestbedError("not within \(limit): \(what); the last lines: \(last)")
            }
            try await Task.sleep(for: .milliseconds(10))
        }
    }

    /// Memory is filled, and the guest is in its steady state.
    package func waitUntilFilled() async throws {
        try await waitForLine(describedAs: "the guest fills its memory", within: .seconds(180)) {
            if case .filled = $0 { true } else { false }
        }
        try await waitForBeats(count: 2)
    }

    /// `count` more heartbeats from now on.
    package func waitForBeats(count: Int) async throws {
        let start = Instant.now
        let deadline = start + .seconds(60)
        while trace.beats.filter({ $0.arrival >= start }).count < count {
            guard Instant.now < deadline else {
                throw TestbedError("\(vm) does not beat: \(recorder.lines.last?.text ?? "no line")")
            }
            try await Task.sleep(for: .milliseconds(10))
        }
    }

    /// Asks the guest to compare every page that it filled; returns how many were wrong.
    package func verifyAll(on host: HostName) async throws -> Int {
        let start = Instant.now
        try await cluster.agentClient(for: host).sendConsoleInput(Array("verify\n".utf8), to: vm)
        var wrong = -1
        try await waitForLine(
            describedAs: "the guest verifies its memory", after: start, within: .seconds(120)
        ) {
            guard case .verified(_, let errors, _) = $0 else { return false }
            wrong = errors
            return true
        }
        return wrong
    }

    package func stopWatching() { recorder.stopRecording() }
}
