// Records, the bodies of both APIs and the words in them.

import API
import Controller
import Foundation
import Model
import Testing

@Suite("Golden records and messages")
struct GoldenMessageTests {
    static let all: [GoldenMessage] = [
        // The controller's store
        .record("record-host", key: "hosts/host-a"),
        .record("record-vm", key: "vms/web-1"),
        // Before a VM had one spec and one policy, their fields stood flat in each of these.
        .vmRecordOfVersion1("record-vm-1", writtenAs: "record-vm"),
        .record("record-group", key: "groups/web-tier"),
        .record("record-operation", key: "operations/c0c1c2c3c4c5c6c7d0d1d2d3d4d5d6d7"),
        // Before the order in the VM's record was the only place of a migration under way, moves said "running" here.
        .readOnlyRecord(
            "record-operation-1", writtenAs: "record-operation",
            key: "operations/c0c1c2c3c4c5c6c7d0d1d2d3d4d5d6d7"),
        .record("record-balance", key: "settings/balance"),
        .record("record-token", key: "tokens/ci"),

        // The agent's API
        .exact("host-info", HostInfo.self),
        .exact("vm-info", VMInfo.self),
        .readOnly("vm-info-1", writtenAs: "vm-info", VMInfo.self),
        .exact("vm-list", VMList.self),
        .readOnly("vm-list-1", writtenAs: "vm-list", VMList.self),
        .exact("vm-exit", VMExit.self),
        .exact("create-vm", CreateVM.self),
        .readOnly("create-vm-1", writtenAs: "create-vm", CreateVM.self),
        .exact("save-vm", SaveVM.self),
        .exact("saved-vm", SavedVM.self),
        .exact("restore-vm", RestoreVM.self),
        .exact("start-migration", StartMigration.self),
        .exact("migration-info", MigrationInfo.self),
        .exact("migration-list", MigrationList.self),
        .exact("recovery-info", RecoveryInfo.self),
        .exact("rule-on-vm", RecoverVM.self),
        .exact("host-audit", HostCheck.self),
        .exact("problem", Problem.self),

        // What agents report
        .exact("host-registration", HostRegistration.self),
        .exact("heartbeat", Heartbeat.self),
        .exact("heartbeat-answer", HeartbeatAnswer.self),

        // The controller's API
        .exact("cluster-host", ClusterHost.self),
        .exact("cluster-info", ClusterInfo.self),
        .exact("fence-host", FenceHost.self),
        .exact("drain-host", DrainHost.self),
        .exact("activate-host", ActivateHost.self),
        .exact("create-token", CreateToken.self),
        .exact("token-info", TokenInfo.self),
        .exact("token-page", Page<TokenInfo>.self),
        .exact("create-cluster-vm", CreateClusterVM.self),
        .readOnly("create-cluster-vm-1", writtenAs: "create-cluster-vm", CreateClusterVM.self),
        .exact("update-cluster-vm", UpdateClusterVM.self),
        .exact("cluster-vm", ClusterVM.self),
        .exact("cluster-vm-page", Page<ClusterVM>.self),
        .exact("group-info", GroupInfo.self),
        .exact("explain-placement", ExplainPlacement.self),
        .readOnly("explain-placement-1", writtenAs: "explain-placement", ExplainPlacement.self),
        .exact("placement-answer", PlacementAnswer.self),
        .exact("balance-settings", BalanceSettings.self),
        .exact("update-balance", UpdateBalance.self),
        .exact("balance-info", BalanceInfo.self),
        .exact("plan-maintenance", PlanMaintenance.self),
        .exact("maintenance-plan", MaintenancePlanInfo.self),
        .exact("plan-info", PlanInfo.self),
        .exact("operation-info", OperationInfo.self),
        .exact("migrate-vm", MigrateVM.self),
        .exact("deleted-thing", DeletedThing.self),
    ]

    @Test(arguments: all)
    func `Each line is read, and written as it was`(_ message: GoldenMessage) throws {
        try message.check()
    }

    @Test func `Each file of JSON has an entry`() throws {
        let files = try FileManager.default.contentsOfDirectory(atPath: GoldenFile.folder)
        #expect(
            files.filter { $0.hasSuffix(".jsonl") }.sorted()
                == Self.all.map { "\($0.file).jsonl" }.sorted())
    }

    /// More may come; none of these may go or change.
    @Test func `Words that programs know stay`() throws {
        let words =
            Problem.Code.allCases.map { "problem \($0.rawValue) \($0.status)" }
            + FailureCode.allCases.map { "failure \($0.rawValue)" }
            + CheckCode.allCases.map { "audit \($0.rawValue) \($0.severity.rawValue)" }
            + VMAction.allCases.map { "action \($0.rawValue)" }
            + ClusterEvent.Kind.allCases.map { "event \($0.rawValue)" }
            + Role.allCases.map { "role \($0.rawValue)" } + ["header \(termHeader)"]
        if GoldenFile.isWriting { try GoldenFile.check("words.txt", hasLines: words) }
        let known = Set(words)
        for word in try GoldenFile.lines("words.txt") { #expect(known.contains(word)) }
    }

    @Test func `Metrics keep their names and kinds`() throws {
        let metrics = ControllerMetrics().exposition(of: nil, version: "1").split(separator: "\n")
            .filter { $0.hasPrefix("# TYPE ") }.map { String($0.dropFirst(7)) }.sorted()
        try GoldenFile.check("metrics.txt", hasLines: metrics)
    }

    /// More may come; none of these may go or change.
    @Test func `Routes stay`() throws {
        let routes = Set(
            AgentRoutes.table.routes.map { "agent \($0.method.rawValue) \($0.path)" }
                + ControllerRoutes.table.routes.map {
                    "controller \($0.method.rawValue) \($0.path)"
                })
        for route in try GoldenFile.lines("routes.txt") {
            #expect(routes.contains(route), "\(route)")
        }
    }
}
