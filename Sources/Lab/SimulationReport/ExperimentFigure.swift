// The columns of the published consolidation experiment, and what those leave out.

package import PlanetLab

package struct ExperimentFigure: Sendable {
    /// Stable, for programs.
    package var key: String
    package var title: String
    package var unit: String
    package var decimals: Int
    package var meaning: String
    package var value: @Sendable (PlanetLabFigures) -> Double?
    package var bound: @Sendable (PlanetLabFigures) -> Double?

    private init(
        _ key: String, _ title: String, _ unit: String, _ decimals: Int, _ meaning: String,
        bound: @escaping @Sendable (PlanetLabFigures) -> Double? = { _ in nil },
        _ value: @escaping @Sendable (PlanetLabFigures) -> Double?
    ) {
        self.key = key
        self.title = title
        self.unit = unit
        self.decimals = decimals
        self.meaning = meaning
        self.value = value
        self.bound = bound
    }

    package static let all = [
        ExperimentFigure(
            "energyKWh", "Energy", "kWh", 2, "What all hosts drew.",
            bound: { $0.energyBoundWithMemoryKWh ?? $0.energyBoundKWh }
        ) { $0.energyKWh },
        ExperimentFigure(
            "migrations", "Migrations", "", 0, "VM migrations that were begun."
        ) { Double($0.migrations) },
        ExperimentFigure(
            "slaViolationPercent", "SLA violation (SLAV)", "%", 5, "SLATAH times PDM."
        ) { $0.slaViolation * 100 },
        ExperimentFigure(
            "degradationByMigrationPercent", "Degradation by migrations (PDM)", "%", 2,
            "CPU work not done because of migrations: share of all asked for."
        ) { $0.degradationByMigration * 100 },
        ExperimentFigure(
            "violationTimeOfActiveHostsPercent", "Violation time of active hosts (SLATAH)", "%", 2,
            "Share of the time that hosts were active in which they were short of CPU."
        ) { $0.violationTimeOfActiveHosts * 100 },
        ExperimentFigure(
            "overallViolationPercent", "Overall violation", "%", 2,
            "CPU work asked for and not given: share of all asked for."
        ) { $0.overallViolation * 100 },
        ExperimentFigure(
            "averageViolationPercent", "Average violation", "%", 2,
            "Share that a VM missed, averaged over all intervals in which one got too little."
        ) { $0.averageViolation * 100 },
        ExperimentFigure("hostShutdowns", "Host shutdowns", "", 0, "How often a host was emptied.")
        { Double($0.hostShutdowns) },
        ExperimentFigure(
            "hostsInUseMean", "Hosts in use, mean", "hosts", 2,
            "Hosts with VMs, averaged over the decision rounds."
        ) { $0.hostsInUseMean },
        ExperimentFigure(
            "hostsInUseMax", "Hosts in use, most", "hosts", 0,
            "The most hosts with VMs at one decision round."
        ) { Double($0.hostsInUseMax) },
        ExperimentFigure(
            "vmsDeleted", "VMs deleted for being idle", "VMs", 0,
            "VMs that were taken out of the experiment because two samples in a row were 0."
        ) { Double($0.vmsDeleted) },
        ExperimentFigure(
            "downtimeSeconds", "Downtime, sum", "s", 2,
            "All pauses of migrated VMs; nothing where the mode knows none."
        ) { $0.downtime?.totalSeconds },
        ExperimentFigure(
            "downtimeMaxMs", "Downtime, longest", "ms", 2,
            "The longest pause of one migration; nothing where the mode knows none."
        ) { $0.downtime?.maxMilliseconds },
    ]
}
