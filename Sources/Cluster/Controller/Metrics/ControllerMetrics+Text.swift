// All that Prometheus is told.

import ClusterCore
import Model

/// What the cluster has at the moment of a scrape.
package struct ClusterFigures: Sendable {
    var hosts: [String: Int]
    var vms: [String: Int]
    var movesUnderWay: Int
    var imbalance: Double

    init(_ cluster: Cluster) {
        hosts = cluster.hostCounts
        vms = cluster.vmCounts
        movesUnderWay = cluster.migrationsUnderWay
        imbalance = cluster.imbalance
    }
}

extension ControllerMetrics {
    /// - Parameter figures: nil on a controller that does not lead.
    package func text(_ figures: ClusterFigures?, version: String) -> String {
        let counts = counts
        var text = Exposition()
        text.gauge(
            "ferry_controller_info", "Which version this controller is.",
            [([("version", version)], 1)])
        text.gauge(
            "ferry_leader", "Whether this controller leads.", [([], figures == nil ? 0 : 1)])
        if let term = counts.term {
            text.gauge("ferry_term", "The term that it leads in.", [([], Double(term.number))])
        }
        if let figures { write(figures, to: &text) }
        writeMigrations(counts, to: &text)
        writeDecisions(counts, to: &text)
        writeStore(counts, to: &text)
        writeRequests(counts, to: &text)
        return text.text
    }

    private func write(_ figures: ClusterFigures, to text: inout Exposition) {
        func samples(_ counts: [String: Int]) -> [(Exposition.Labels, Double)] {
            counts.sorted { $0.key < $1.key }.map { ([("state", $0.key)], Double($0.value)) }
        }
        text.gauge("ferry_hosts", "Hosts by state.", samples(figures.hosts))
        text.gauge("ferry_vms", "VMs by state.", samples(figures.vms))
        text.gauge(
            "ferry_migrations_running", "Migrations ordered and not over.",
            [([], Double(figures.movesUnderWay))])
        text.gauge(
            "ferry_imbalance", "How unevenly the active hosts are loaded; 0 is level.",
            [([], figures.imbalance)])
    }

    private func writeMigrations(_ counts: Counts, to text: inout Exposition) {
        text.counter(
            "ferry_migrations_total", "Migrations that ended, by outcome.",
            labelled("outcome", counts.migrations))
        text.histogram(
            "ferry_migration_downtime_milliseconds", "From pause to resume, of each migration.",
            counts.downtime)
        text.histogram(
            "ferry_migration_seconds", "From start to end, of each migration.",
            counts.migrationSeconds)
        text.counter(
            "ferry_migration_wire_bytes_total", "What migrations sent.", [([], counts.wireBytes)])
        text.histogram(
            "ferry_migration_seconds_ratio", "Seconds that a migration took, by those predicted.",
            counts.secondsError)
        text.histogram(
            "ferry_migration_downtime_ratio", "A migration's downtime, by what was predicted.",
            counts.downtimeError)
        text.counter(
            "ferry_operations_total", "Operations that ended.",
            counts.operations.map {
                ([("kind", $0.labels[0]), ("outcome", $0.labels[1])], $0.count)
            }
        )
    }

    private func writeDecisions(_ counts: Counts, to text: inout Exposition) {
        text.counter(
            "ferry_placements_total", "Decisions about where a VM starts, by outcome.",
            labelled("outcome", counts.decisions))
        text.histogram(
            "ferry_placement_seconds", "How long a decision took, with the request that needed it.",
            counts.decisionSeconds)
        text.counter(
            "ferry_vm_restarts_total", "VMs that were started again after they ended.",
            [([], counts.restarts)])
        text.counter(
            "ferry_commands_failed_total", "Commands that agents refused or did not answer.",
            [([], counts.commandsFailed)])
    }

    private func writeStore(_ counts: Counts, to text: inout Exposition) {
        text.counter(
            "ferry_store_commits_total", "Transactions that the store made.",
            [([], counts.commits)])
        text.counter(
            "ferry_store_commits_failed_total", "Batches that the store did not confirm.",
            [([], counts.commitsFailed)])
        text.counter(
            "ferry_store_changes_total", "Records that were written or removed.",
            [([], counts.changes)])
        text.histogram(
            "ferry_store_commit_seconds", "How long a transaction took.", counts.commitSeconds)
    }

    private func writeRequests(_ counts: Counts, to text: inout Exposition) {
        text.counter(
            "ferry_heartbeats_total", "Heartbeats that were answered.", [([], counts.heartbeats)])
        text.counter(
            "ferry_registrations_total", "Registrations that were answered.",
            [([], counts.registrations)])
        text.counter(
            "ferry_api_answers_total", "Answers of the API, by status.",
            counts.requests.sorted { $0.key < $1.key }.map { ([("status", "\($0.key)")], $0.value) }
        )
        text.gauge(
            "ferry_event_streams", "Clients that follow events.", [([], Double(counts.streams))])
    }

    private func labelled(
        _ label: String, _ counts: [String: UInt64]
    ) -> [(Exposition.Labels, UInt64)] {
        counts.sorted { $0.key < $1.key }.map { ([(label, $0.key)], $0.value) }
    }
}
