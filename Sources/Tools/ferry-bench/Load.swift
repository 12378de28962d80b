// The guest and what it does while it is moved: the same for every contestant.

import Host
import Model
import Testbed

/// One workload.
struct Load: Sendable {
    let guestPath: String
    let commandLine: String
    let memory: ByteCount
    let downtimeLimitMs: Int
    /// How long the guest runs in its steady state before it is moved, and is watched afterwards.
    let settle: Duration

    /// Waits until the guest has filled its memory and has run in its steady state for a while.
    func waitUntilReady(lines: () -> [ConsoleLine]) async throws {
        try await waitUntil("the guest has filled its memory", within: .seconds(180)) {
            lines().contains { $0.text.hasPrefix("pulse filled") }
        }
        let ready = Instant.now + settle
        try await waitUntil("the guest beats", within: .seconds(30)) {
            HeartbeatTrace(lines()).beats.last.map { $0.arrival > ready } ?? false
        }
    }

    /// The trace once the guest has run for a while at its destination, so that a late gap is seen too.
    func waitUntilSettled(after end: Instant, lines: () -> [ConsoleLine]) async throws
        -> HeartbeatTrace
    {
        try await waitUntil("the guest beats at its destination", within: .seconds(30)) {
            HeartbeatTrace(lines()).beats.last.map { $0.arrival > end + settle } ?? false
        }
        let trace = HeartbeatTrace(lines())
        if let gap = trace.firstBreak {
            throw PeerError("heartbeat \(gap.after) follows \(gap.before)")
        }
        return trace
    }

    private func waitUntil(
        _ what: String, within limit: Duration, condition: () -> Bool
    ) async throws {
        let deadline = Instant.now + limit
        while !condition() {
            guard Instant.now < deadline else { throw PeerError("not in \(limit): \(what)") }
            try await Task.sleep(for: .milliseconds(20))
        }
    }
}

/// One way to move a guest.
protocol Contestant: Sendable {
    var name: String { get }
    /// Starts the guest, moves it once, stops everything. `folder` is private to this run.
    func measureMigration(under load: Load, folder: String) async throws -> Measurement
}
