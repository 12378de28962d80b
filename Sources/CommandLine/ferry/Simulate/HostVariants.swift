// The hosts of each variant of a sweep: those that were asked for, those of the trace, or enough of a usual shape.

import Model
import Placement
import Simulation
import SimulationReport
import Traces

struct HostVariant: Sendable {
    /// What tells it from the others; empty when there are none.
    var name: String
    var hosts: [PlacementHost]
}

struct HostVariants: Sendable {
    /// Room above the peak when nobody says how many hosts there are.
    private static let spareShare = 0.25

    private(set) var variants: [HostVariant] = []
    /// What all variants share.
    private(set) var settings: [Setting] = []

    /// - Parameter peak: the most that VMs ask for at one time; asked for where nobody says how many hosts there are.
    init(
        options: HostOptions, for workload: Workload, peak: () throws -> Resources
    ) throws {
        let overcommits = options.cpuOvercommit.isEmpty ? [nil] : options.cpuOvercommit.map { $0 }
        let lists = try Self.hostLists(
            from: options, for: workload, overcommit: overcommits.compactMap { $0 }.min() ?? 1,
            peak: peak)
        for (words, hosts) in lists {
            for overcommit in overcommits {
                var parts: [String] = []
                if lists.count > 1 { parts.append("hosts: \(words)") }
                if let overcommit, overcommits.count > 1 {
                    parts.append("CPU overcommit \(overcommit)")
                }
                variants.append(
                    HostVariant(
                        name: parts.joined(separator: ", "),
                        hosts: hosts.map { Self.overcommittedHost(from: $0, factor: overcommit) }))
            }
        }
        if lists.count == 1 { settings.append(Setting("hosts", value: lists[0].words)) }
        if overcommits.count == 1, let overcommit = overcommits[0] {
            settings.append(Setting("CPU overcommit", value: "\(overcommit)"))
        }
    }

    private static func hostLists(
        from options: HostOptions, for workload: Workload, overcommit: Double,
        peak: () throws -> Resources
    ) throws -> [(words: String, hosts: [PlacementHost])] {
        let shape = options.hostShape ?? HostOptions.shapeUsual
        if !options.hosts.isEmpty {
            return try options.hosts.map { text in
                let list = try HostOptions.parseHostList(from: text, defaultShape: shape)
                let words = text.contains("x") ? text : "\(text) x \(shape)"
                return (words, list.hosts)
            }
        }
        if !workload.hosts.isEmpty {
            return [("\(workload.hosts.count), described by the trace", workload.hosts)]
        }
        let count = hostCount(of: shape, for: try peak(), overcommit: overcommit)
        return [
            (
                "\(count) x \(shape), a quarter more than VMs fill at their peak",
                try HostOptions.parseHostList(from: "\(count)", defaultShape: shape).hosts
            )
        ]
    }

    private static func hostCount(
        of shape: HostShape, for peak: Resources, overcommit: Double
    ) -> Int {
        let cpu = Double(peak.milliCPUs) / (Double(shape.cores) * 1000 * overcommit)
        let memory = Double(peak.memoryBytes) / Double(shape.memory.bytes)
        return max(1, Int((max(cpu, memory) * (1 + spareShare)).rounded(.up)))
    }

    private static func overcommittedHost(
        from host: PlacementHost, factor overcommit: Double?
    ) -> PlacementHost {
        guard let overcommit else { return host }
        var host = host
        host.cpuOvercommit = overcommit
        return host
    }
}

extension Workload {
    /// The most of each resource that VMs ask for at one time.
    var peak: Resources {
        var changes: [(time: SimTime, request: Resources)] = []
        for row in requests {
            changes.append((row.arrival, row.request))
            changes.append((row.departure, Resources.none - row.request))
        }
        // At one moment VMs go before others come.
        changes.sort { ($0.time, $0.request.memoryBytes) < ($1.time, $1.request.memoryBytes) }
        var (now, peak) = (Resources.none, Resources.none)
        for change in changes {
            now = now + change.request
            peak.milliCPUs = max(peak.milliCPUs, now.milliCPUs)
            peak.memoryBytes = max(peak.memoryBytes, now.memoryBytes)
        }
        return peak
    }
}
