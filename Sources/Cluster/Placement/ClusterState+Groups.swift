// Affinity: how many members of a group stand in each domain, and what a new member there would mean.

struct GroupRow: Sendable {
    var group: AffinityGroup
    /// Members by domain; a VM that is being moved counts at both ends.
    var counts: [Int32: Int32] = [:]
    var total: Int32 = 0
    /// The other partitions of the same whole.
    var siblings: [Int32] = []
}

extension ClusterState {
    package func affinityGroup(named name: String) -> AffinityGroup? {
        groups.first { $0.group.name == name }?.group
    }

    /// The domain of a host in a scope; a host whose rack or zone is not named stands alone.
    func domainNumber(of host: HostIndex, in scope: AffinityGroup.Scope) -> Int32 {
        switch scope {
        case .host: Int32(host)
        case .rack: hostRows[host].rack
        case .zone: hostRows[host].zone
        }
    }

    func describeDomain(of host: HostIndex, in scope: AffinityGroup.Scope) -> String {
        switch scope {
        case .host: "host \(hosts[host].name)"
        case .rack: "rack \(hosts[host].domain.rack)"
        case .zone: "zone \(hosts[host].domain.zone)"
        }
    }

    /// A VM comes to a host or leaves it. One that moves within a domain counts there once.
    mutating func adjustGroupCounts(for vm: VMIndex, on host: HostIndex, step: Int32) {
        guard vmRows[vm].hasGroups else { return }
        let isTarget = Int(vmRows[vm].target) == host
        for group in groupsOfVM[vm] {
            let scope = groups[Int(group)].group.scope
            let domain = domainNumber(of: host, in: scope)
            if isTarget, self.domainNumber(of: Int(vmRows[vm].host), in: scope) == domain {
                continue
            }
            let count = (groups[Int(group)].counts[domain] ?? 0) + step
            groups[Int(group)].counts[domain] = count == 0 ? nil : count
            groups[Int(group)].total += step
        }
    }

    /// Members of a group beside `vm`: in the domain of `host`, and everywhere.
    ///
    /// `companions` move along with the VM, which may be among them: where they are does not count, but those that are
    /// on their way to `host` do.
    func otherMembers(
        ofGroup group: Int32, beside vm: VMIndex, near host: HostIndex,
        without companions: [VMIndex]
    ) -> (near: Int32, all: Int32) {
        let row = groups[Int(group)]
        let scope = row.group.scope
        let domain = domainNumber(of: host, in: scope)
        var near = row.counts[domain] ?? 0
        var all = row.total
        let moving = companions.contains(vm) ? companions : companions + [vm]
        for member in moving where groupsOfVM[member].contains(group) {
            let (source, target) = (vmRows[member].host, vmRows[member].target)
            guard source >= 0 else { continue }
            let left = self.domainNumber(of: Int(source), in: scope)
            let reached = target < 0 ? left : self.domainNumber(of: Int(target), in: scope)
            let isArriving = member != vm && Int(target) == host
            if !isArriving || reached != left {
                all -= 1
                if left == domain { near -= 1 }
            }
            if !isArriving, reached != left {
                all -= 1
                if reached == domain { near -= 1 }
            }
        }
        return (near, all)
    }

    /// Members of other partitions of the same whole in the domain of `host`.
    func siblingMembers(
        ofGroup group: Int32, beside vm: VMIndex, near host: HostIndex,
        without companions: [VMIndex]
    ) -> Int32 {
        groups[Int(group)].siblings.reduce(0) { sum, sibling in
            guard !groupsOfVM[vm].contains(sibling) else { return sum }
            return sum
                + otherMembers(ofGroup: sibling, beside: vm, near: host, without: companions).near
        }
    }

    /// The placed members of the hard groups that keep a VM and others on one host, itself among them.
    package func affinityBundle(of vm: VMIndex) -> [VMIndex] {
        guard vmRows[vm].hasGroups, let host = currentHost(of: vm) else { return [vm] }
        var bundle = [vm]
        var seen = 0
        while seen < bundle.count {
            for group in groupsOfVM[bundle[seen]] where bindsToHost(group: group) {
                for other in hostedVMs(on: host)
                where groupsOfVM[other].contains(group) && !bundle.contains(other) {
                    bundle.append(other)
                }
            }
            seen += 1
        }
        return bundle
    }

    /// The host's VMs in groups that have to stay together: the important first, then the large.
    func affinityBundles(on host: HostIndex) -> [[VMIndex]] {
        var seen: Set<VMIndex> = []
        var bundles: [(vms: [VMIndex], priority: Int, size: Double)] = []
        for vm in hostedVMs(on: host).sorted() where !seen.contains(vm) {
            let together = affinityBundle(of: vm).filter { migrationTarget(of: $0) == nil }
            seen.formUnion(together)
            let sizes = together.map { vm -> Double in
                let units = requestInUnits(of: vm)
                return max(units.cpu, units.memory)
            }
            bundles.append(
                (
                    together, together.map { descriptions[$0].priority }.max() ?? 0,
                    sizes.reduce(0, +)
                ))
        }
        bundles.sort {
            ($0.priority, $0.size, $1.vms.first ?? 0) > ($1.priority, $1.size, $0.vms.first ?? 0)
        }
        return bundles.map(\.vms).filter { !$0.isEmpty }
    }

    /// Whether a bundle fits as a whole, tried and taken back.
    mutating func canAcceptBundle(_ bundle: [VMIndex], on host: HostIndex) -> Bool {
        var begun: [VMIndex] = []
        for vm in bundle {
            guard canPlaceVM(vm, on: host, for: .migration, with: bundle) else { break }
            beginMigration(of: vm, to: host)
            begun.append(vm)
        }
        for vm in begun { abandonMigration(of: vm) }
        return begun.count == bundle.count
    }

    func bindsToHost(group: Int32) -> Bool {
        let group = groups[Int(group)].group
        return group.isHard && group.scope == .host && group.kind == .together
    }

    /// The soft groups' part of a score, one term a group: with weight w, +w where a member of a group that belongs
    /// together is near, -w for each member too many of a group that belongs apart or of another partition.
    func softAffinityTerms(of vm: VMIndex, on host: HostIndex) -> [ScoreTerm] {
        groupsOfVM[vm].compactMap { group in
            let description = groups[Int(group)].group
            guard case .soft(let weight) = description.strength else { return nil }
            let near = otherMembers(ofGroup: group, beside: vm, near: host, without: []).near
            switch description.kind {
            case .together:
                return ScoreTerm(name: "together \(description.name)", value: near > 0 ? weight : 0)
            case .apart(let perDomainMax):
                let excess = max(0, Int(near) + 1 - perDomainMax)
                return ScoreTerm(name: "apart \(description.name)", value: -weight * Double(excess))
            case .partition:
                let strangers = siblingMembers(ofGroup: group, beside: vm, near: host, without: [])
                return ScoreTerm(
                    name: "apart \(description.name)", value: -weight * Double(strangers))
            }
        }
    }

    func hasSoftGroups(vm: VMIndex) -> Bool {
        vmRows[vm].hasGroups && groupsOfVM[vm].contains { !groups[Int($0)].group.isHard }
    }
}
