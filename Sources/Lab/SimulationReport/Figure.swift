// What a run is judged by: every figure's name, unit, meaning and place in a result.

package import Simulation

/// One column of the reports.
package struct Figure: Sendable {
    package enum Group: String, CaseIterable, Sendable {
        case placement = "Placement"
        case load = "Load"
        case moves = "Live migrations"
        case hosts = "Hosts"
    }

    /// Which way is good. Of some figures neither is: they say what happened.
    package enum Better: String, Sendable {
        case lower, higher, neither
    }

    /// Stable, for programs.
    package var key: String
    /// For people, with the unit.
    package var title: String
    package var unit: String
    package var group: Group
    package var better: Better
    /// Digits after the point, for people.
    package var decimals: Int
    /// One sentence.
    package var meaning: String
    package var value: @Sendable (RunResult) -> Double?
    package var bound: @Sendable (RunResult) -> Double?

    private init(
        _ key: String, _ title: String, _ unit: String, _ group: Group, _ better: Better,
        decimals: Int = 0, _ meaning: String,
        bound: @escaping @Sendable (RunResult) -> Double? = { _ in nil },
        _ value: @escaping @Sendable (RunResult) -> Double?
    ) {
        self.key = key
        self.title = title
        self.unit = unit
        self.group = group
        self.better = better
        self.decimals = decimals
        self.meaning = meaning
        self.value = value
        self.bound = bound
    }
}

extension Figure {
    /// In the order in which reports show them.
    package static let all = placement + load + moves + hosts

    private static let placement = [
        Figure(
            "requests", "VMs asked for", "VMs", .placement, .neither,
            "Requests of the workload until its end."
        ) { Double($0.requests) },
        Figure(
            "placed", "VMs placed", "VMs", .placement, .higher,
            "Requests that got a host, those asked for again among them."
        ) { Double($0.placed) },
        Figure(
            "refused", "VMs refused", "VMs", .placement, .lower,
            "Requests for which no host had room when they were made."
        ) { Double($0.refused) },
        Figure(
            "askedAgain", "VMs asked for again", "VMs", .placement, .neither,
            "Because their host failed: with the VMs asked for, they are those placed and those refused."
        ) { Double($0.askedAgain) },
        Figure(
            "cpuAtFirstRefusalPercent", "CPU promised at first refusal", "%", .placement, .higher,
            decimals: 2,
            "Share of all hosts' CPU that was promised when the first VM was refused; nothing when none was."
        ) { $0.cpuShareAtFirstRefusal.map(percent) },
        Figure(
            "memoryAtFirstRefusalPercent", "Memory promised at first refusal", "%", .placement,
            .higher, decimals: 2,
            "Share of all hosts' memory that was promised when the first VM was refused; nothing when none was."
        ) { $0.memoryShareAtFirstRefusal.map(percent) },
        Figure(
            "hostsInUseMax", "Hosts in use, most", "hosts", .placement, .lower,
            "The most hosts with VMs at one time.",
            bound: { $0.hostsInUseMax.bound }
        ) { $0.hostsInUseMax.value },
        Figure(
            "hostsInUseMean", "Hosts in use, mean", "hosts", .placement, .lower, decimals: 2,
            "Hosts with VMs, averaged over time.",
            bound: { $0.hostsInUseMean.bound }
        ) { $0.hostsInUseMean.value },
        Figure(
            "emptyHostsMean", "Empty hosts, mean", "hosts", .placement, .higher, decimals: 2,
            "Hosts without VMs, averaged over time."
        ) { $0.emptyHostsMean },
        Figure(
            "cpuStrandedPercent", "CPU stranded", "%", .placement, .lower, decimals: 2,
            "Free CPU on hosts without memory for the smallest VM: share of all, averaged over time."
        ) { percent($0.cpuStranded) },
        Figure(
            "memoryStrandedPercent", "Memory stranded", "%", .placement, .lower, decimals: 2,
            "Free memory on hosts without CPU for the smallest VM: share of all, averaged over time."
        ) { percent($0.memoryStranded) },
    ]

    private static let load = [
        Figure(
            "imbalanceMean", "Imbalance, mean", "", .load, .lower, decimals: 4,
            "The controller's figure of how unevenly hosts in use are loaded, averaged over time."
        ) { $0.imbalanceMean },
        Figure(
            "overloadedPercent", "Time overloaded", "%", .load, .lower, decimals: 3,
            "Share of the time of hosts in use during which more CPU was asked for than there is."
        ) { percent($0.overloadedShare) },
        Figure(
            "cpuShortfallPercent", "CPU work not given", "%", .load, .lower, decimals: 4,
            "CPU work that VMs asked for and did not get: share of all that they asked for."
        ) { percent($0.cpuShortfall) },
        Figure(
            "energyKWh", "Energy", "kWh", .load, .lower, decimals: 2,
            "What all hosts drew.",
            bound: { $0.energyKWh.bound }
        ) { $0.energyKWh.value },
    ]

    private static let moves = [
        Figure(
            "migrations", "Migrations", "", .moves, .lower,
            "Live migrations that were carried out."
        ) { Double($0.migrations) },
        Figure(
            "migrationsDropped", "Migrations dropped", "", .moves, .lower,
            "Planned, but without room or without their VM when their turn came."
        ) { Double($0.migrationsDropped) },
        Figure(
            "migrationsAbandoned", "Migrations abandoned", "", .moves, .lower,
            "Begun, and ended by the VM's departure or by a host's failure."
        ) { Double($0.migrationsAbandoned) },
        Figure(
            "migrationsUnfinished", "Migrations under way at the end", "", .moves, .neither,
            "Begun, and not done when the run ended."
        ) { Double($0.migrationsUnfinished) },
        Figure(
            "migratedGiB", "Data sent by migrations", "GiB", .moves, .lower, decimals: 2,
            "Memory sent in all rounds of all migrations."
        ) { $0.migrationBytes / 0x1p30 },
        Figure(
            "migrationSeconds", "Time of migrations", "s", .moves, .lower, decimals: 1,
            "Sum of all migrations' durations."
        ) { $0.migrationSeconds },
        Figure(
            "downtimeP50Ms", "Downtime, median", "ms", .moves, .lower, decimals: 2,
            "Half of the migrations paused their VM for at most this."
        ) { ofSome($0.downtimeMs, $0.downtimeMs.p50) },
        Figure(
            "downtimeP99Ms", "Downtime, 99th percentile", "ms", .moves, .lower, decimals: 2,
            "99 of 100 migrations paused their VM for at most this."
        ) { ofSome($0.downtimeMs, $0.downtimeMs.p99) },
        Figure(
            "downtimeMaxMs", "Downtime, longest", "ms", .moves, .lower, decimals: 2,
            "The longest pause of one migration."
        ) { ofSome($0.downtimeMs, $0.downtimeMs.max) },
        Figure(
            "downtimeSumMs", "Downtime, sum", "ms", .moves, .lower, decimals: 1,
            "All pauses of all VMs together."
        ) { $0.downtimeMs.sum },
        Figure(
            "downtimePerMovedVMP99Ms", "Downtime of a VM, 99th percentile", "ms", .moves, .lower,
            decimals: 2,
            "Over the whole run, 99 of 100 VMs that were moved were paused for at most this."
        ) { ofSome($0.downtimePerVMMs, $0.downtimePerVMMs.p99) },
        Figure(
            "downtimeLimitExceeded", "Downtime limit exceeded", "", .moves, .lower,
            "Migrations that paused their VM for longer than its limit."
        ) { Double($0.downtimeLimitExceeded) },
    ]

    private static let hosts = [
        Figure(
            "sleeps", "Hosts put to sleep", "", .hosts, .neither, "How often a host fell asleep."
        ) {
            Double($0.sleeps)
        },
        Figure("wakes", "Hosts woken", "", .hosts, .neither, "How often a host was woken.") {
            Double($0.wakes)
        },
        Figure(
            "vmsThatWaited", "VMs that waited for a host", "VMs", .hosts, .lower,
            "VMs for which a host had to be woken."
        ) { Double($0.vmsThatWaited) },
        Figure(
            "waitSecondsMean", "Wait for a host, mean", "s", .hosts, .lower, decimals: 1,
            "Of the VMs that waited, until their host was awake."
        ) { $0.vmsThatWaited > 0 ? $0.waitSecondsMean : nil },
        Figure(
            "hostFailures", "Hosts failed", "", .hosts, .neither,
            "Hosts that the scenario lets fail."
        ) {
            Double($0.hostFailures)
        },
        Figure(
            "vmsLost", "VMs lost to failures", "VMs", .hosts, .lower,
            "VMs that ran on a host when it failed; they are asked for again at once."
        ) { Double($0.vmsLostToFailures) },
        Figure("drains", "Drains", "", .hosts, .neither, "Hosts that the scenario drains.") {
            Double($0.drains)
        },
        Figure(
            "drainsIncomplete", "Drains not completed", "", .hosts, .lower,
            "Drains that left VMs on their host, for want of room elsewhere or of time."
        ) { Double($0.drainsIncomplete) },
        Figure(
            "drainSecondsMean", "Time to drain, mean", "s", .hosts, .lower, decimals: 1,
            "From the word until the host is empty, of drains that were completed."
        ) { $0.drains > $0.drainsIncomplete ? $0.drainSecondsMean : nil },
    ]

    private static func percent(_ share: Double) -> Double { share * 100 }

    /// A percentile of nothing is nothing, not 0.
    private static func ofSome(_ distribution: Distribution, _ value: Double) -> Double? {
        distribution.count > 0 ? value : nil
    }
}
