// The published experiment's report: modes beside each other with their bounds, and the columns as they are published.

import Foundation
import PlanetLab
import SimulationReport
import Testing

/// As a run gives it.
private func figures(_ mode: PlanetLabMode, energy: Double, bound: Double) throws
    -> PlanetLabFigures
{
    let memoryBound = mode == .honest ? "\"energyBoundWithMemoryKWh\": \(bound + 300)," : ""
    let text = """
        {"mode": "\(mode.rawValue)", "energyKWh": \(energy), "energyBoundKWh": \(bound),
        \(memoryBound) "migrations": 27632, "slaViolation": 0.0000463,
        "degradationByMigration": 0.0008, "violationTimeOfActiveHosts": 0.0584,
        "overallViolation": 0.0014, "averageViolation": 0.096, "hostShutdowns": 5023,
        "vmsDeleted": 532, "hostsInUseMax": 700, "hostsInUseMean": 60.5,
        "notes": ["<b>a note</b>"]}
        """
    return try JSONDecoder().decode(PlanetLabFigures.self, from: Data(text.utf8))
}

@Suite("Report of the published experiment")
struct ExperimentReportTests {
    private func report(
        _ modes: PlanetLabMode..., energy: Double = 563.15
    ) throws -> ExperimentReport {
        let runs = try modes.map { try figures($0, energy: energy, bound: 95.36) }
        let result = """
            {"day": "20110303", "policy": "lr-mmt-1.2", "vms": 1052, "hosts": 800, "runs": []}
            """
        var decoded = try JSONDecoder().decode(
            PlanetLabResult.self, from: Data(result.utf8))
        decoded.runs = runs
        return ExperimentReport([decoded])
    }

    @Test func `Both modes stand beside each other, each with the bound that holds for it`() throws
    {
        let table = try report(.cloudSim, .honest).table
        #expect(table.columns == ["lr-mmt-1.2, cloudsim-3.0.3", "lr-mmt-1.2, honest"])
        let rows = table.sections.flatMap(\.rows)
        let energy = try #require(rows.first { $0.key == "energyKWh" })
        #expect(energy.entries.map(\.value) == ["563.15", "563.15"])
        #expect(energy.entries.map(\.bound) == ["95.36", "395.36"])
        #expect(rows.first { $0.key == "slaViolationPercent" }?.entries[0].value == "0.00463")
        #expect(rows.first { $0.key == "downtimeMaxMs" }?.entries[0].value == "–")
    }

    @Test func `What each mode counts is said beside the figures`() throws {
        let made = try report(.cloudSim, .honest)
        #expect(made.modes.map(\.name) == ["cloudsim-3.0.3", "honest"])
        #expect(made.modes.allSatisfy { $0.rules == ["<b>a note</b>"] })
        #expect(made.html.contains("<h2>What honest counts</h2>"))
    }

    @Test func `CSV has the published columns as they are printed`() throws {
        let lines = try report(.cloudSim).csv.split(separator: "\n")
        #expect(
            lines[1].hasPrefix(
                "20110303,lr-mmt-1.2,1052,563.15,27632,0.00463,0.08,5.84,0.14,9.60,5023,NaN,"))
        #expect(lines[1].hasSuffix(",cloudsim-3.0.3,95.36,"))
    }

    @Test func `A result below its bound is told as the bug that it is`() throws {
        #expect(
            try report(.cloudSim, energy: 95.35).notes.contains { $0.contains("This cannot be") })
        #expect(
            try !report(.cloudSim, energy: 95.36).notes.contains { $0.contains("This cannot be") })
    }

    @Test(.enabled(if: Browser.path != nil, "no Chromium: Scripts/setup --tests installs it"))
    func `A browser draws the experiment's bars from the numbers of the JSON`() async throws {
        let made = try report(.cloudSim, .honest)
        let dom = try await Browser.dump(made.html)
        #expect(dom.contains("data-drawn=\"true\""), "the script ended before its end")
        for mode in ["cloudsim-3.0.3", "honest"] {
            #expect(dom.contains("data-policy=\"lr-mmt-1.2, \(mode)\" data-value=\"563.15\""))
        }
        #expect(dom.contains("data-bound=\"95.36\"") && dom.contains("data-bound=\"395.36\""))
        #expect(dom.contains("&lt;b&gt;a note&lt;/b&gt;") && !dom.contains("<b>a note"))
        #expect(made.json.text.contains("\"value\": 563.15"))
    }
}
