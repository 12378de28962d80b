// Figures as the experiment's published tables print them: percent where they say percent, and as many digits.

extension PlanetLabFigures {
    package static let publishedColumns = [
        "energy_kwh", "migrations", "slav_percent", "pdm_percent", "slatah_percent",
        "overall_sla_violation_percent", "average_sla_violation_percent", "host_shutdowns",
        "mean_s_before_host_shutdown", "sd_s_before_host_shutdown", "mean_s_before_vm_migration",
        "sd_s_before_vm_migration",
    ]

    /// One text for each of `publishedColumns`.
    package var publishedRow: [String] {
        func percentText(_ share: Double, digits: Int = 2) -> String {
            fixedText(share * 100, digits: digits)
        }
        return [
            fixedText(energyKWh, digits: 2), "\(migrations)", percentText(slaViolation, digits: 5),
            percentText(degradationByMigration), percentText(violationTimeOfActiveHosts),
            percentText(overallViolation), percentText(averageViolation), "\(hostShutdowns)",
            fixedText(secondsBeforeShutdown?.mean, digits: 2),
            fixedText(secondsBeforeShutdown?.standardDeviation, digits: 2),
            fixedText(secondsBeforeMigration?.mean, digits: 2),
            fixedText(secondsBeforeMigration?.standardDeviation, digits: 2),
        ]
    }
}

/// With so many digits after the point, halves away from zero; "NaN" for what there is not.
private func fixedText(_ value: Double?, digits: Int) -> String {
    guard let value, value.isFinite else { return "NaN" }
    var scale = 1
    for _ in 0..<digits { scale *= 10 }
    let whole = Int((value.magnitude * Double(scale)).rounded(.toNearestOrAwayFromZero))
    let fraction = String(whole % scale)
    let zeros = String(repeating: "0", count: digits - fraction.utf8.count)
    return (value < 0 && whole > 0 ? "-" : "") + "\(whole / scale).\(zeros)\(fraction)"
}
