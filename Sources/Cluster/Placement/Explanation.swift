// Why this host and why not that one: a verdict for each host.

/// What a decision says of one host.
package enum HostVerdict: Hashable, Sendable {
    case refused(Refusal)
    /// It could take the VM, but the policy's lots did not fall on it.
    case notDrawn
    case scored([ScoreTerm])

    package var score: Double? {
        guard case .scored(let terms) = self else { return nil }
        return terms.reduce(0) { $0 + $1.value }
    }
}

/// A decision with its grounds.
package struct PlacementExplanation: Hashable, Sendable {
    package var vm: String
    package var policy: String
    package var chosen: HostIndex?
    /// One for each host, in host order.
    package var verdicts: [HostVerdict]
}

extension ClusterState {
    /// The decision that `choose` makes, with a verdict for every host.
    package func explainPlacement(of vm: VMIndex, using policy: some PlacementPolicy)
        -> PlacementExplanation
    {
        let purpose = placementPurpose(of: vm)
        var drawn: [HostIndex]?
        if case .drawn(let count, let seed) = policy.choice {
            drawn = drawHosts(count: count, seed: seed, for: vm, purpose: purpose)
        }
        let verdicts = allHosts.map { host -> HostVerdict in
            if let refusal = refusalReason(of: vm, on: host, for: purpose) {
                return .refused(refusal)
            }
            if let drawn, !drawn.contains(host) { return .notDrawn }
            return .scored(
                policy.scoreTerms(of: vm, on: host, in: self) + softAffinityTerms(of: vm, on: host))
        }
        return PlacementExplanation(
            vm: descriptions[vm].name, policy: policy.name,
            chosen: chooseHost(for: vm, using: policy),
            verdicts: verdicts)
    }

    /// Why no host can take a VM, in short.
    package func refusalSummary(
        of vm: VMIndex, for purpose: PlacementPurpose, with companions: [VMIndex] = []
    ) -> RefusalSummary {
        var summary = RefusalSummary()
        for host in allHosts {
            guard let refusal = refusalReason(of: vm, on: host, for: purpose, with: companions)
            else {
                continue
            }
            summary.addRefusal(refusal, host: hosts[host].name)
        }
        return summary
    }
}

/// The refusals of many hosts, by filter, each with the host that was nearest to fitting.
package struct RefusalSummary: Hashable, Sendable {
    package struct Line: Hashable, Sendable {
        package var filter: String
        package var hosts: Int
        package var nearestHost: String
        package var nearest: Refusal
    }

    /// The filter that refused most hosts first.
    package private(set) var lines: [Line] = []

    package init() {}

    mutating func addRefusal(_ refusal: Refusal, host: String) {
        if case .sameHost = refusal { return }
        if let line = lines.firstIndex(where: { $0.filter == refusal.filter }) {
            lines[line].hosts += 1
            if refusal.distance < lines[line].nearest.distance {
                lines[line].nearest = refusal
                lines[line].nearestHost = host
            }
        } else {
            lines.append(
                Line(filter: refusal.filter, hosts: 1, nearestHost: host, nearest: refusal))
        }
        lines.sort { ($0.hosts, $1.filter) > ($1.hosts, $0.filter) }
    }
}

extension RefusalSummary: CustomStringConvertible {
    package var description: String {
        if lines.isEmpty { return "there is no other host" }
        return lines.map {
            "\($0.hosts) by \($0.filter) (\($0.nearestHost): \($0.nearest))"
        }.joined(separator: "; ")
    }
}
