import API
import Clients
import ClusterCore
import Controller
import Foundation
import Model
import Testing

@Suite("Metrics", .serialized)
struct MetricsTests {
    @Test("What Prometheus reads is well formed and counts what happened")
    func figures() async throws {
        try await TestController.with { controller, client in
            try await controller.join("host-a")
            try await controller.join("host-b")
            _ = try await client.createVM(with: newVM("web"))
            _ = try await client.createVM(with: newVM("large") { $0.spec.memory = .gibibytes(60) })
            _ = try await client.createVM(
                with: newVM("larger") { $0.spec.memory = .mebibytes(63 * 1024 + 512) })
            _ = try? await client.readClusterVM(named: VMName("nobody"))
            let text = try PrometheusText(await client.readMetrics())
            #expect(try text.value("ferry_leader") == 1)
            #expect(try text.value("ferry_term") == 1)
            #expect(try text.value("ferry_hosts", ["state": "active"]) == 2)
            #expect(try text.value("ferry_vms", ["state": "pending"]) == 1)
            #expect(try text.value("ferry_vms", ["state": "starting"]) == 2)
            #expect(try text.value("ferry_heartbeats_total") == 2)
            #expect(try text.value("ferry_registrations_total") == 2)
            #expect(try text.value("ferry_api_answers_total", ["status": "404"]) == 1)
            #expect(try text.value("ferry_api_answers_total", ["status": "201"]) == 3)
            #expect(try text.value("ferry_placements_total", ["outcome": "placed"]) == 2)
            #expect(try text.value("ferry_placement_seconds_count") >= 3)
            #expect(try text.value("ferry_store_commit_seconds_count") >= 3)
            #expect(try text.value("ferry_store_commits_failed_total") == 0)
        }
    }

    @Test("Migrations are counted by outcome, with downtime and how the prediction did")
    func migrations() throws {
        let metrics = ControllerMetrics()
        let prediction = MovePrediction(
            seconds: Estimate(low: 1, expected: 2, high: 4),
            downtimeMs: Estimate(low: 5, expected: 10, high: 20),
            bytes: Estimate(low: 1, expected: 2, high: 3), isThrottled: false,
            keepsDowntimeLimit: true)
        var report = MigrationReport()
        report.total = .seconds(3)
        report.downtime = .milliseconds(8)
        report.wireBytes = 1000
        for (state, report) in [
            (MigrationInfo.State.succeeded, ReportInfo(report)), (.failed, nil),
        ] {
            metrics.countEvents([
                .migrationEnded(
                    MigrationInfo(
                        id: .random(), vm: try VMName("web"), vmID: .random(),
                        source: try HostName("a"), destination: try HostName("b"), state: state,
                        report: report), predicted: prediction)
            ])
        }
        let text = try PrometheusText(metrics.exposition(of: nil, version: "a\"b\\c\nd"))
        #expect(try text.value("ferry_leader") == 0)
        #expect(try text.value("ferry_migrations_total", ["outcome": "succeeded"]) == 1)
        #expect(try text.value("ferry_migrations_total", ["outcome": "failed"]) == 1)
        #expect(try text.value("ferry_migration_wire_bytes_total") == 1000)
        #expect(try text.value("ferry_migration_downtime_milliseconds_sum") == 8)
        #expect(
            try text.value("ferry_migration_downtime_milliseconds_bucket", ["le": "5"]) == 0)
        #expect(
            try text.value("ferry_migration_downtime_milliseconds_bucket", ["le": "10"]) == 1)
        #expect(try text.value("ferry_migration_seconds_ratio_sum") == 1.5)
        #expect(try text.value("ferry_migration_downtime_ratio_sum") == 0.8)
        #expect(
            text.samples.first { $0.name == "ferry_controller_info" }?.labels["version"]
                == #"a\"b\\c\nd"#)
    }
}
