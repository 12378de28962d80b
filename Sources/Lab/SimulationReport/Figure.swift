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
        key: String, title: String, unit: String, group: Group, better: Better,
        decimals: Int = 0, meaning: String,
        bound: @escaping @Sendable (RunResult) -> Double? = { _ in nil },
        value: @escaping @Sendable (RunResult) -> Double?
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
            key: "requests", title: "VMs asked for", unit: "VMs", group: .placement,
            better: .neither,
            meaning: "Requests of the workload until its end."
        ) { Double($0.requests) },
        Figure(
            key: "placed", title: "VMs placed", unit: "VMs", group: .placement, better: .higher,
            meaning: "Requests that got a host, those asked for again among them."
        ) { Double($0.placed) },
        Figure(
            key: "refused", title: "VMs refused", unit: "VMs", group: .placement, better: .lower,
            meaning: "Requests for which no host had room when they were made."
        ) { Double($0.refused) },
        Figure(
            key: "askedAgain", title: "VMs asked for again", unit: "VMs", group: .placement,
            better: .neither,
            meaning:
                "Because their host failed: with the VMs asked for, they are those placed and those refused."
        ) { Double($0.askedAgain) },
        Figure(
            key: "cpuAtFirstRefusalPercent", title: "CPU promised at first refusal", unit: "%",
            group: .placement, better: .higher,
            decimals: 2,
            meaning:
                "Share of all hosts' CPU that was promised when the first VM was refused; nothing when none was."
        ) { $0.cpuShareAtFirstRefusal.map(percentage) },
        Figure(
            key: "memoryAtFirstRefusalPercent", title: "Memory promised at first refusal",
            unit: "%", group: .placement,
            better: .higher, decimals: 2,
            meaning:
                "Share of all hosts' memory that was promised when the first VM was refused; nothing when none was."
        ) { $0.memoryShareAtFirstRefusal.map(percentage) },
        Figure(
            key: "hostsInUseMax", title: "Hosts in use, most", unit: "hosts", group: .placement,
            better: .lower,
            meaning: "The most hosts with VMs at one time.",
            bound: { $0.hostsInUseMax.bound }
        ) { $0.hostsInUseMax.value },
        Figure(
            key: "hostsInUseMean", title: "Hosts in use, mean", unit: "hosts", group: .placement,
            better: .lower, decimals: 2,
            meaning: "Hosts with VMs, averaged over time.",
            bound: { $0.hostsInUseMean.bound }
        ) { $0.hostsInUseMean.value },
        Figure(
            key: "emptyHostsMean", title: "Empty hosts, mean", unit: "hosts", group: .placement,
            better: .higher, decimals: 2,
            meaning: "Hosts without VMs, averaged over time."
        ) { $0.emptyHostsMean },
        Figure(
            key: "cpuStrandedPercent", title: "CPU stranded", unit: "%", group: .placement,
            better: .lower, decimals: 2,
            meaning:
                "Free CPU on hosts without memory for the smallest VM: share of all, averaged over time."
        ) { percentage(share: $0.cpuStranded) },
        Figure(
            key: "memoryStrandedPercent", title: "Memory stranded", unit: "%", group: .placement,
            better: .lower, decimals: 2,
            meaning:
                "Free memory on hosts without CPU for the smallest VM: share of all, averaged over time."
        ) { percentage(share: $0.memoryStranded) },
    ]

    private static let load = [
        Figure(
            key: "imbalanceMean", title: "Imbalance, mean", unit: "", group: .load, better: .lower,
            decimals: 4,
            meaning:
                "The controller's figure of how unevenly hosts in use are loaded, averaged over time."
        ) { $0.imbalanceMean },
        Figure(
            key: "overloadedPercent", title: "Time overloaded", unit: "%", group: .load,
            better: .lower, decimals: 3,
            meaning:
                "Share of the time of hosts in use during which more CPU was asked for than there is."
        ) { percentage(share: $0.overloadedShare) },
        Figure(
            key: "cpuShortfallPercent", title: "CPU work not given", unit: "%", group: .load,
            better: .lower, decimals: 4,
            meaning:
                "CPU work that VMs asked for and did not get: share of all that they asked for."
        ) { percentage(share: $0.cpuShortfall) },
        Figure(
            key: "energyKWh", title: "Energy", unit: "kWh", group: .load, better: .lower,
            decimals: 2,
            meaning: "What all hosts drew.",
            bound: { $0.energyKWh.bound }
        ) { $0.energyKWh.value },
    ]

    private static let moves = [
        Figure(
            key: "migrations", title: "Migrations", unit: "", group: .moves, better: .lower,
            meaning: "Live migrations that were carried out."
        ) { Double($0.migrations) },
        Figure(
            key: "migrationsDropped", title: "Migrations dropped", unit: "", group: .moves,
            better: .lower,
            meaning: "Planned, but without room or without their VM when their turn came."
        ) { Double($0.migrationsDropped) },
        Figure(
            key: "migrationsAbandoned", title: "Migrations abandoned", unit: "", group: .moves,
            better: .lower,
            meaning: "Begun, and ended by the VM's departure or by a host's failure."
        ) { Double($0.migrationsAbandoned) },
        Figure(
            key: "migrationsUnfinished", title: "Migrations under way at the end", unit: "",
            group: .moves, better: .neither,
            meaning: "Begun, and not done when the run ended."
        ) { Double($0.migrationsUnfinished) },
        Figure(
            key: "migratedGiB", title: "Data sent by migrations", unit: "GiB", group: .moves,
            better: .lower, decimals: 2,
            meaning: "Memory sent in all rounds of all migrations."
        ) { $0.migrationBytes / 0x1p30 },
        Figure(
            key: "migrationSeconds", title: "Time of migrations", unit: "s", group: .moves,
            better: .lower, decimals: 1,
            meaning: "Sum of all migrations' durations."
        ) { $0.migrationSeconds },
        Figure(
            key: "downtimeP50Ms", title: "Downtime, median", unit: "ms", group: .moves,
            better: .lower, decimals: 2,
            meaning: "Half of the migrations paused their VM for at most this."
        ) { valueUnlessEmpty(of: $0.downtimeMs, value: $0.downtimeMs.p50) },
        Figure(
            key: "downtimeP99Ms", title: "Downtime, 99th percentile", unit: "ms", group: .moves,
            better: .lower, decimals: 2,
            meaning: "99 of 100 migrations paused their VM for at most this."
        ) { valueUnlessEmpty(of: $0.downtimeMs, value: $0.downtimeMs.p99) },
        Figure(
            key: "downtimeMaxMs", title: "Downtime, longest", unit: "ms", group: .moves,
            better: .lower, decimals: 2,
            meaning: "The longest pause of one migration."
        ) { valueUnlessEmpty(of: $0.downtimeMs, value: $0.downtimeMs.max) },
        Figure(
            key: "downtimeSumMs", title: "Downtime, sum", unit: "ms", group: .moves, better: .lower,
            decimals: 1,
            meaning: "All pauses of all VMs together."
        ) { $0.downtimeMs.sum },
        Figure(
            key: "downtimePerMovedVMP99Ms", title: "Downtime of a VM, 99th percentile", unit: "ms",
            group: .moves, better: .lower,
            decimals: 2,
            meaning:
                "Over the whole run, 99 of 100 VMs that were moved were paused for at most this."
        ) { valueUnlessEmpty(of: $0.downtimePerVMMs, value: $0.downtimePerVMMs.p99) },
        Figure(
            key: "downtimeLimitExceeded", title: "Downtime limit exceeded", unit: "", group: .moves,
            better: .lower,
            meaning: "Migrations that paused their VM for longer than its limit."
        ) { Double($0.downtimeLimitExceeded) },
    ]

    private static let hosts = [
        Figure(
            key: "sleeps", title: "Hosts put to sleep", unit: "", group: .hosts, better: .neither,
            meaning: "How often a host fell asleep."
        ) {
            Double($0.sleeps)
        },
        Figure(
            key: "wakes", title: "Hosts woken", unit: "", group: .hosts, better: .neither,
            meaning: "How often a host was woken."
        ) {
            Double($0.wakes)
        },
        Figure(
            key: "vmsThatWaited", title: "VMs that waited for a host", unit: "VMs", group: .hosts,
            better: .lower,
            meaning: "VMs for which a host had to be woken."
        ) { Double($0.vmsThatWaited) },
        Figure(
            key: "waitSecondsMean", title: "Wait for a host, mean", unit: "s", group: .hosts,
            better: .lower, decimals: 1,
            meaning: "Of the VMs that waited, until their host was awake."
        ) { $0.vmsThatWaited > 0 ? $0.waitSecondsMean : nil },
        Figure(
            key: "hostFailures", title: "Hosts failed", unit: "", group: .hosts, better: .neither,
            meaning: "Hosts that the scenario lets fail."
        ) {
            Double($0.hostFailures)
        },
        Figure(
            key: "vmsLost", title: "VMs lost to failures", unit: "VMs", group: .hosts,
            better: .lower,
            meaning: "VMs that ran on a host when it failed; they are asked for again at once."
        ) { Double($0.vmsLostToFailures) },
        Figure(
            key: "drains", title: "Drains", unit: "", group: .hosts, better: .neither,
            meaning: "Hosts that the scenario drains."
        ) {
            Double($0.drains)
        },
        Figure(
            key: "drainsIncomplete", title: "Drains not completed", unit: "", group: .hosts,
            better: .lower,
            meaning: "Drains that left VMs on their host, for want of room elsewhere or of time."
        ) { Double($0.drainsIncomplete) },
        Figure(
            key: "drainSecondsMean", title: "Time to drain, mean", unit: "s", group: .hosts,
            better: .lower, decimals: 1,
            meaning: "From the word until the host is empty, of drains that were completed."
        ) { $0.drains > $0.drainsIncomplete ? $0.drainSecondsMean : nil },
    ]

    private static func percentage(share: Double) -> Double { share * 100 }

    /// A percentile of nothing is nothing, not 0.
    private static func valueUnlessEmpty(of distribution: Distribution, value: Double) -> Double? {
        distribution.count > 0 ? value : nil
    }
}
