// The experiment as others call it: a day, a policy, modes; in comes progress, out comes a result.

package import Traces

package struct PlanetLabExperiment: Sendable {
    package var day: PlanetLabDay
    package var policy: PlanetLabPolicy
    package var modes: [PlanetLabMode]
    /// The published experiment has 800.
    package var hosts = 800

    package init(day: PlanetLabDay, policy: PlanetLabPolicy, modes: [PlanetLabMode]) {
        self.day = day
        self.policy = policy
        self.modes = modes
    }

    /// - Parameter progress: called after each simulated decision round with the share done, 0 to 1.
    package func runAllModes(
        progress: (Double) -> Void = { _ in }
    ) throws(PlanetLabError) -> PlanetLabResult {
        var runs: [PlanetLabFigures] = []
        for (index, mode) in modes.enumerated() {
            runs.append(
                try computeFigures(mode: mode) {
                    progress((Double(index) + $0) / Double(modes.count))
                })
        }
        return PlanetLabResult(
            day: day.name, policy: policy.name, vms: day.vmNames.count, hosts: hosts, runs: runs)
    }
}

extension PlanetLabExperiment {
    private func computeFigures(
        mode: PlanetLabMode, progress: (Double) -> Void
    ) throws(PlanetLabError) -> PlanetLabFigures {
        try computeFigures(named: mode.rawValue, under: mode.rules, progress: progress)
    }

    /// Under rules of one's own, such as the published ones with a single switch turned.
    package func computeFigures(
        named name: String, under rules: PlanetLabRules, progress: (Double) -> Void = { _ in }
    ) throws(PlanetLabError) -> PlanetLabFigures {
        guard 1...Limits.hostsMax ~= hosts else {
            throw .tooManyHosts(hosts, limit: Limits.hostsMax)
        }
        guard !day.vmNames.isEmpty else { throw .noVMs(day: day.name) }
        var run = try ConsolidationRun(day: day, policy: policy, hosts: hosts, rules: rules)
        run.simulateDay(progress: progress)
        let (hostLedger, vmLedger) = (run.hostLedger, run.vmLedger)
        let shutdowns = hostLedger.secondsBeforeShutdown
        let inUse = run.hostsInUse
        return PlanetLabFigures(
            mode: name,
            energyKWh: run.joules / 3.6e6,
            energyBoundKWh: PlanetLabBound.lowerBoundKWh(
                for: day, keepsIdleVMs: !rules.deletesIdleVMs),
            energyBoundWithMemoryKWh: rules.keepsMemoryOccupied
                ? PlanetLabBound.lowerBoundKWhWithMemory(for: day, hosts: hosts) : nil,
            migrations: run.migrations,
            slaViolation: hostLedger.violationTime * vmLedger.degradationByMigration,
            degradationByMigration: vmLedger.degradationByMigration,
            violationTimeOfActiveHosts: hostLedger.violationTime,
            overallViolation: vmLedger.overallViolation,
            averageViolation: vmLedger.averageViolation,
            hostShutdowns: shutdowns.count,
            secondsBeforeShutdown: MeanAndSpread(shutdowns),
            secondsBeforeMigration: MeanAndSpread(vmLedger.secondsBeforeMigration),
            vmsDeleted: run.vmsDeleted,
            downtime: rules.migration == .ramOverHalfLink ? nil : run.downtime,
            bytesMigrated: rules.migration == .ramOverHalfLink ? nil : run.bytesMigrated,
            hostsInUseMax: inUse.max() ?? 0,
            hostsInUseMean: Double(inUse.reduce(0, +)) / Double(inUse.count),
            notes: rules.notes)
    }
}
