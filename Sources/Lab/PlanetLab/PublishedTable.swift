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
        func percentText(share: Double, digits: Int = 2) -> String {
            fixedPointText(for: share * 100, digits: digits)
        }
        return [
            fixedPointText(for: energyKWh, digits: 2), "\(migrations)",
            percentText(share: slaViolation, digits: 5),
            percentText(share: degradationByMigration),
            percentText(share: violationTimeOfActiveHosts),
            percentText(share: overallViolation), percentText(share: averageViolation),
            "\(hostShutdowns)",
            fixedPointText(for: secondsBeforeShutdown?.mean, digits: 2),
            fixedPointText(for: secondsBeforeShutdown?.standardDeviation, digits: 2),
            fixedPointText(for: secondsBeforeMigration?.mean, digits: 2),
            fixedPointText(for: secondsBeforeMigration?.standardDeviation, digits: 2),
        ]
    }
}

/// With so many digits after the point, halves away from zero; "NaN" for what there is not.
private func fixedPointText(for value: Double?, digits: Int) -> String {
    guard let value, value.isFinite else { return "NaN" }
    var scale = 1
    for _ in 0..<digits { scale *= 10 }
    let whole = Int((value.magnitude * Double(scale)).rounded(.toNearestOrAwayFromZero))
    let fraction = String(whole % scale)
    let zeros = String(repeating: "0", count: digits - fraction.utf8.count)
    return (value < 0 && whole > 0 ? "-" : "") + "\(whole / scale).\(zeros)\(fraction)"
}
