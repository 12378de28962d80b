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
        key: String, title: String, unit: String, decimals: Int, meaning: String,
        bound: @escaping @Sendable (PlanetLabFigures) -> Double? = { _ in nil },
        value: @escaping @Sendable (PlanetLabFigures) -> Double?
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
            key: "energyKWh", title: "Energy", unit: "kWh", decimals: 2,
            meaning: "What all hosts drew.",
            bound: { $0.energyBoundWithMemoryKWh ?? $0.energyBoundKWh }
        ) { $0.energyKWh },
        ExperimentFigure(
            key: "migrations", title: "Migrations", unit: "", decimals: 0,
            meaning: "VM migrations that were begun."
        ) { Double($0.migrations) },
        ExperimentFigure(
            key: "slaViolationPercent", title: "SLA violation (SLAV)", unit: "%", decimals: 5,
            meaning: "SLATAH times PDM."
        ) { $0.slaViolation * 100 },
        ExperimentFigure(
            key: "degradationByMigrationPercent", title: "Degradation by migrations (PDM)",
            unit: "%", decimals: 2,
            meaning: "CPU work not done because of migrations: share of all asked for."
        ) { $0.degradationByMigration * 100 },
        ExperimentFigure(
            key: "violationTimeOfActiveHostsPercent",
            title: "Violation time of active hosts (SLATAH)", unit: "%", decimals: 2,
            meaning: "Share of the time that hosts were active in which they were short of CPU."
        ) { $0.violationTimeOfActiveHosts * 100 },
        ExperimentFigure(
            key: "overallViolationPercent", title: "Overall violation", unit: "%", decimals: 2,
            meaning: "CPU work asked for and not given: share of all asked for."
        ) { $0.overallViolation * 100 },
        ExperimentFigure(
            key: "averageViolationPercent", title: "Average violation", unit: "%", decimals: 2,
            meaning:
                "Share that a VM missed, averaged over all intervals in which one got too little."
        ) { $0.averageViolation * 100 },
        ExperimentFigure(
            key: "hostShutdowns", title: "Host shutdowns", unit: "", decimals: 0,
            meaning: "How often a host was emptied."
        ) { Double($0.hostShutdowns) },
        ExperimentFigure(
            key: "hostsInUseMean", title: "Hosts in use, mean", unit: "hosts", decimals: 2,
            meaning: "Hosts with VMs, averaged over the decision rounds."
        ) { $0.hostsInUseMean },
        ExperimentFigure(
            key: "hostsInUseMax", title: "Hosts in use, most", unit: "hosts", decimals: 0,
            meaning: "The most hosts with VMs at one decision round."
        ) { Double($0.hostsInUseMax) },
        ExperimentFigure(
            key: "vmsDeleted", title: "VMs deleted for being idle", unit: "VMs", decimals: 0,
            meaning:
                "VMs that were taken out of the experiment because two samples in a row were 0."
        ) { Double($0.vmsDeleted) },
        ExperimentFigure(
            key: "downtimeSeconds", title: "Downtime, sum", unit: "s", decimals: 2,
            meaning: "All pauses of migrated VMs; nothing where the mode knows none."
        ) { $0.downtime?.totalSeconds },
        ExperimentFigure(
            key: "downtimeMaxMs", title: "Downtime, longest", unit: "ms", decimals: 2,
            meaning: "The longest pause of one migration; nothing where the mode knows none."
        ) { $0.downtime?.maxMilliseconds },
    ]
}
