// What this controller has counted since it started. What the cluster has now is read from it when somebody asks.

import API
package import ClusterCore
import Model
import Synchronization

package final class ControllerMetrics: Sendable {
    struct Counts {
        var term: Term?
        var migrations: [String: UInt64] = [:]
        var downtime = Histogram(bounds: [
            1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000,
        ])
        var migrationSeconds = Histogram(bounds: [
            0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 3600,
        ])
        var wireBytes: UInt64 = 0
        var secondsError = Histogram(bounds: ratios)
        var downtimeError = Histogram(bounds: ratios)
        var decisions: [String: UInt64] = [:]
        var decisionSeconds = Histogram(bounds: latencies)
        var commits: UInt64 = 0
        var commitsFailed: UInt64 = 0
        var changes: UInt64 = 0
        var commitSeconds = Histogram(bounds: latencies)
        var heartbeats: UInt64 = 0
        var registrations: UInt64 = 0
        var commandsFailed: UInt64 = 0
        var restarts: UInt64 = 0
        var operations: [(labels: [String], count: UInt64)] = []
        var requests: [Int: UInt64] = [:]
        var streams = 0

        private static let latencies = [
            0.0001, 0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5,
        ]
        private static let ratios = [
            0.1, 0.25, 0.5, 0.75, 0.9, 1, 1.1, 1.25, 1.5, 2, 3, 5, 10, 100,
        ]
    }

    private let state = Mutex(Counts())

    package init() {}

    var counts: Counts { state.withLock { $0 } }

    func recordTerm(_ term: Term?) { state.withLock { $0.term = term } }

    func recordCommit(changeCount changes: Int, duration: Duration) {
        state.withLock {
            $0.commits += 1
            $0.changes += UInt64(changes)
            $0.commitSeconds.recordSample(value: duration.seconds)
        }
    }

    func countFailedCommit() { state.withLock { $0.commitsFailed += 1 } }
    func countHeartbeat() { state.withLock { $0.heartbeats += 1 } }
    func countRegistration() { state.withLock { $0.registrations += 1 } }
    func recordResponse(status: Int) { state.withLock { $0.requests[status, default: 0] += 1 } }

    /// False: there are as many as may be.
    func beginStream() -> Bool {
        state.withLock {
            guard $0.streams < Limits.streamsMax else { return false }
            $0.streams += 1
            return true
        }
    }
    func endStream() { state.withLock { $0.streams -= 1 } }

    /// What came of one piece of work, and how long it took: of all that it decided.
    func recordDecision(events news: ArraySlice<ClusterLogEvent>, duration: Duration) {
        for item in news {
            let outcome: String? =
                switch item {
                case .placed: "placed"
                case .notPlaced: "no_host_fits"
                default: nil
                }
            guard let outcome else { continue }
            state.withLock {
                $0.decisions[outcome, default: 0] += 1
                $0.decisionSeconds.recordSample(value: duration.seconds)
            }
        }
    }

    /// Counts what is stored by now.
    package func countEvents(_ news: [ClusterLogEvent]) {
        guard !news.isEmpty else { return }
        state.withLock { counts in
            for item in news {
                switch item {
                case .migrationEnded(let migration, let predicted):
                    counts.recordMigration(migration, predicted: predicted)
                case .commandFailed: counts.commandsFailed += 1
                case .vmRestarted: counts.restarts += 1
                case .operationEnded(let operation): counts.recordOperation(operation)
                case .placed, .notPlaced, .hostChanged: break
                }
            }
        }
    }
}

extension ControllerMetrics.Counts {
    fileprivate mutating func recordMigration(
        _ migration: MigrationInfo, predicted: MovePrediction?
    ) {
        migrations[migration.state.rawValue, default: 0] += 1
        guard let report = migration.report else { return }
        wireBytes += report.wireBytes
        downtime.recordSample(value: report.downtimeMs)
        migrationSeconds.recordSample(value: report.totalMs / 1000)
        guard let predicted else { return }
        if predicted.seconds.expected > 0 {
            secondsError.recordSample(value: report.totalMs / 1000 / predicted.seconds.expected)
        }
        if predicted.downtimeMs.expected > 0 {
            downtimeError.recordSample(value: report.downtimeMs / predicted.downtimeMs.expected)
        }
    }

    fileprivate mutating func recordOperation(_ operation: OperationInfo) {
        let labels = [operation.kind.rawValue, operation.state.rawValue]
        if let index = operations.firstIndex(where: { $0.labels == labels }) {
            operations[index].count += 1
        } else {
            operations.append((labels, 1))
        }
    }
}

extension Duration {
    var seconds: Double {
        Double(components.seconds) + Double(components.attoseconds) / 1e18
    }
}
