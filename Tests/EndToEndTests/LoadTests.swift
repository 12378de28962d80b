// The load test at a size that shows whether it works, not how fast anything is.

import Foundation
import Host
import Testbed
import Testing

@Suite("The load test, with 20 agents and 200 VMs")
struct LoadTests {
    private struct Report: Decodable {
        var agents: Int
        var vms: Int
        var failedCreates: Int
        var heartbeatsPerSecond: Double
        var drainMoves: Int
        var serviceAfterTermSeconds: [Double]
        var serviceAfterKillSeconds: [Double]
        var lostVMs: Int
        var doubledVMs: Int
        var peakMemoryMiB: Double
    }

    @Test("all VMs are made, and outlive restarts of the controller once each")
    func small() async throws {
        let run = try await FerryCommand.runProgram(
            at: ProgramFolder.path + "/ferry-load",
            arguments: [
                "--agents", "20", "--vms-per-agent", "10", "--heartbeat", "1s", "--steady", "3s",
                "--creators", "16", "--restarts", "1", "--output", "json",
            ], folder: "/")
        try #require(run.exitCode == 0, "\(run.errors)")
        let report = try JSONDecoder().decode(Report.self, from: Data(run.output.utf8))
        #expect(report.agents == 20)
        #expect(report.vms == 200)
        #expect(report.failedCreates == 0)
        #expect(report.heartbeatsPerSecond > 10)
        #expect(report.drainMoves > 0)
        #expect(report.serviceAfterTermSeconds.count == 1)
        #expect(report.serviceAfterKillSeconds.count == 1)
        #expect(report.lostVMs == 0)
        #expect(report.doubledVMs == 0)
        #expect(report.peakMemoryMiB > 1)
    }
}
