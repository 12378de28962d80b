// What is known of a VM beside its record: what hosts report of it, and what this controller remembers of its own
// looks at it.

import API
import Model

/// What a VM uses, smoothed over its host's heartbeats.
struct ObservedUse {
    private(set) var cpuCores: Double?
    private(set) var memoryUsedBytes: Double?
    private(set) var dirtyBytesPerSecond: Double?

    mutating func addSample(from report: VMReport) {
        cpuCores = cpuCores.smoothedAverage(adding: report.cpuCores)
        memoryUsedBytes = memoryUsedBytes.smoothedAverage(
            adding: report.memoryUsedBytes.map { Double($0) })
        if let rate = report.dirtyBytesPerSecond { dirtyBytesPerSecond = rate }
    }
}

struct ObservedVM {
    /// By host; one has it, or two while it is migrated.
    private var reports: [HostName: VMReport] = [:]
    private(set) var use = ObservedUse()
    private var runsSince: Duration?
    /// Its host answers and does not have it.
    private var missingSince: Duration?
    /// Hosts that refused to start it, until then.
    private var refusals: [HostName: Duration] = [:]
    var migration = MigrationProgress.unknown
    /// Nil while no host has released it without an answer.
    var takeover: TakeoverFollower?

    // MARK: Reports

    func latestReport(from host: HostName) -> VMReport? { reports[host] }

    /// By epoch, the earliest first.
    var reportsByEpoch: [(host: HostName, report: VMReport)] {
        if reports.count < 2 { return reports.map { ($0.key, $0.value) } }
        return reports.sorted { $0.value.epoch < $1.value.epoch }.map { ($0.key, $0.value) }
    }

    mutating func recordReport(_ report: VMReport, from host: HostName) { reports[host] = report }
    mutating func removeReport(from host: HostName) { reports[host] = nil }
    mutating func addUseSample(from report: VMReport) { use.addSample(from: report) }

    // MARK: Looks

    /// - Returns: how long it has run.
    mutating func markRunning(at now: Duration) -> Duration {
        let since = runsSince ?? now
        runsSince = since
        return now - since
    }

    mutating func markNotRunning() { runsSince = nil }

    mutating func markMissing(at now: Duration) { missingSince = missingSince ?? now }
    mutating func markFound() { missingSince = nil }

    /// Its host answers and has not had it for so long that it is lost. Perhaps an order to the agents, not to the
    /// cluster, moved it to a host that is silent now: so it is never started elsewhere.
    func isConsideredLost(at now: Duration) -> Bool {
        missingSince.map { now - $0 > Limits.missingAfter } ?? false
    }

    mutating func recordRefusal(by host: HostName, at now: Duration) {
        refusals[host] = now + Limits.refusalBackOffMax
    }

    mutating func clearRefusals() { refusals = [:] }

    func refusingHosts(at now: Duration) -> Set<HostName> {
        Set(refusals.filter { $0.value > now }.keys)
    }
}

extension Double? {
    /// A new measurement counts with `Limits.smoothing` against all before it; none changes nothing.
    func smoothedAverage(adding sample: Double?) -> Double? {
        guard let sample else { return self }
        guard let self else { return sample }
        return self + (sample - self) * Limits.smoothing
    }
}
