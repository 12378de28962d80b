// All that Prometheus is told.

import ClusterCore
import Model

/// What the cluster has at the moment of a scrape.
package struct ClusterFigures: Sendable {
    var hosts: [String: Int]
    var vms: [String: Int]
    var movesUnderWay: Int
    var imbalance: Double

    init(of cluster: Cluster) {
        hosts = cluster.hostCounts
        vms = cluster.vmCounts
        movesUnderWay = cluster.migrationsUnderWay
        imbalance = cluster.imbalance
    }
}

extension ControllerMetrics {
    /// - Parameter figures: nil on a controller that does not lead.
    package func exposition(of figures: ClusterFigures?, version: String) -> String {
        let counts = counts
        var text = Exposition()
        text.addGauge(
            named: "ferry_controller_info", help: "Which version this controller is.",
            samples: [([("version", version)], 1)])
        text.addGauge(
            named: "ferry_leader", help: "Whether this controller leads.",
            samples: [([], figures == nil ? 0 : 1)])
        if let term = counts.term {
            text.addGauge(
                named: "ferry_term", help: "The term that it leads in.",
                samples: [([], Double(term.number))])
        }
        if let figures { writeFigures(from: figures, to: &text) }
        writeMigrations(from: counts, to: &text)
        writeDecisions(from: counts, to: &text)
        writeStoreMetrics(from: counts, to: &text)
        writeRequests(from: counts, to: &text)
        return text.text
    }

    private func writeFigures(from figures: ClusterFigures, to text: inout Exposition) {
        func stateSamples(from counts: [String: Int]) -> [(Exposition.Labels, Double)] {
            counts.sorted { $0.key < $1.key }.map { ([("state", $0.key)], Double($0.value)) }
        }
        text.addGauge(
            named: "ferry_hosts", help: "Hosts by state.",
            samples: stateSamples(from: figures.hosts))
        text.addGauge(
            named: "ferry_vms", help: "VMs by state.", samples: stateSamples(from: figures.vms))
        text.addGauge(
            named: "ferry_migrations_running", help: "Migrations ordered and not over.",
            samples: [([], Double(figures.movesUnderWay))])
        text.addGauge(
            named: "ferry_imbalance", help: "How unevenly the active hosts are loaded; 0 is level.",
            samples: [([], figures.imbalance)])
    }

    private func writeMigrations(from counts: Counts, to text: inout Exposition) {
        text.addCounter(
            named: "ferry_migrations_total", help: "Migrations that ended, by outcome.",
            samples: labelledSamples(label: "outcome", counts: counts.migrations))
        text.addHistogram(
            named: "ferry_migration_downtime_milliseconds",
            help: "From pause to resume, of each migration.",
            values: counts.downtime)
        text.addHistogram(
            named: "ferry_migration_seconds", help: "From start to end, of each migration.",
            values: counts.migrationSeconds)
        text.addCounter(
            named: "ferry_migration_wire_bytes_total", help: "What migrations sent.",
            samples: [([], counts.wireBytes)])
        text.addHistogram(
            named: "ferry_migration_seconds_ratio",
            help: "Seconds that a migration took, by those predicted.",
            values: counts.secondsError)
        text.addHistogram(
            named: "ferry_migration_downtime_ratio",
            help: "A migration's downtime, by what was predicted.",
            values: counts.downtimeError)
        text.addCounter(
            named: "ferry_operations_total", help: "Operations that ended.",
            samples: counts.operations.map {
                ([("kind", $0.labels[0]), ("outcome", $0.labels[1])], $0.count)
            }
        )
    }

    private func writeDecisions(from counts: Counts, to text: inout Exposition) {
        text.addCounter(
            named: "ferry_placements_total", help: "Decisions about where a VM starts, by outcome.",
            samples: labelledSamples(label: "outcome", counts: counts.decisions))
        text.addHistogram(
            named: "ferry_placement_seconds",
            help: "How long a decision took, with the request that needed it.",
            values: counts.decisionSeconds)
        text.addCounter(
            named: "ferry_vm_restarts_total", help: "VMs that were started again after they ended.",
            samples: [([], counts.restarts)])
        text.addCounter(
            named: "ferry_commands_failed_total",
            help: "Commands that agents refused or did not answer.",
            samples: [([], counts.commandsFailed)])
    }

    private func writeStoreMetrics(from counts: Counts, to text: inout Exposition) {
        text.addCounter(
            named: "ferry_store_commits_total", help: "Transactions that the store made.",
            samples: [([], counts.commits)])
        text.addCounter(
            named: "ferry_store_commits_failed_total",
            help: "Batches that the store did not confirm.",
            samples: [([], counts.commitsFailed)])
        text.addCounter(
            named: "ferry_store_changes_total", help: "Records that were written or removed.",
            samples: [([], counts.changes)])
        text.addHistogram(
            named: "ferry_store_commit_seconds", help: "How long a transaction took.",
            values: counts.commitSeconds)
    }

    private func writeRequests(from counts: Counts, to text: inout Exposition) {
        text.addCounter(
            named: "ferry_heartbeats_total", help: "Heartbeats that were answered.",
            samples: [([], counts.heartbeats)])
        text.addCounter(
            named: "ferry_registrations_total", help: "Registrations that were answered.",
            samples: [([], counts.registrations)])
        text.addCounter(
            named: "ferry_api_answers_total", help: "Answers of the API, by status.",
            samples: counts.requests.sorted { $0.key < $1.key }.map {
                ([("status", "\($0.key)")], $0.value)
            }
        )
        text.addGauge(
            named: "ferry_event_streams", help: "Clients that follow events.",
            samples: [([], Double(counts.streams))])
    }

    private func labelledSamples(
        label: String, counts: [String: UInt64]
    ) -> [(Exposition.Labels, UInt64)] {
        counts.sorted { $0.key < $1.key }.map { ([(label, $0.key)], $0.value) }
    }
}
