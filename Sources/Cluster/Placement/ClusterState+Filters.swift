// The filters: may this VM run on this host? One fast answer, and one with the reason.

extension ClusterState {
    /// The first filter that refuses, nil when the host can take the VM.
    ///
    /// - Parameter companions: VMs that move there together with it; see `others(_:beside:near:without:)`.
    package func refusalReason(
        of vm: VMIndex, on host: HostIndex, for purpose: PlacementPurpose,
        with companions: [VMIndex] = []
    ) -> Refusal? {
        if canPlaceVM(vm, on: host, for: purpose, with: companions) { return nil }
        return traitRefusal(of: vm, on: host) ?? roomRefusal(of: vm, on: host, for: purpose)
            ?? groupRefusal(of: vm, on: host, with: companions)
    }

    /// Whether no filter refuses.
    @inline(__always)
    func canPlaceVM(
        _ vm: VMIndex, on host: HostIndex, for purpose: PlacementPurpose,
        with companions: [VMIndex] = []
    ) -> Bool {
        let overhead = purpose == .migration ? migrationOverheadBytes : 0
        let need = vmRows[vm].request
        let free = hostRows[host].free
        guard hostRows[host].isActive, need.milliCPUs <= free.milliCPUs,
            need.memoryBytes + overhead <= free.memoryBytes
        else { return false }
        return hasTraits(host: host, neededBy: vm)
            && (!vmRows[vm].hasGroups || groupRefusal(of: vm, on: host, with: companions) == nil)
    }

    /// Everything that no departure of other VMs would change, but for groups.
    func hasTraits(host: HostIndex, neededBy vm: VMIndex) -> Bool {
        let (row, traits) = (vmRows[vm], hostRows[host])
        return traits.isActive && Int(row.host) != host
            && (row.pinned < 0 || Int(row.pinned) == host)
            && featureTable.coversNeeds(offeredID: traits.features, neededID: row.features)
            && labelTable.coversNeeds(offeredID: traits.labels, neededID: row.labels)
    }

    private func traitRefusal(of vm: VMIndex, on host: HostIndex) -> Refusal? {
        let (row, traits) = (vmRows[vm], hostRows[host])
        if Int(row.host) == host { return .sameHost }
        if !traits.isActive { return .hostState(hosts[host].state) }
        if row.pinned >= 0, Int(row.pinned) != host {
            return .pinned(to: hosts[Int(row.pinned)].name)
        }
        if !featureTable.coversNeeds(offeredID: traits.features, neededID: row.features) {
            return .features(
                missing: featureTable.missingNames(
                    offeredID: traits.features, neededID: row.features))
        }
        if !labelTable.coversNeeds(offeredID: traits.labels, neededID: row.labels) {
            return .labels(
                missing: labelTable.missingNames(offeredID: traits.labels, neededID: row.labels))
        }
        return nil
    }

    private func roomRefusal(
        of vm: VMIndex, on host: HostIndex, for purpose: PlacementPurpose
    ) -> Refusal? {
        let need = vmRows[vm].request
        let (free, limit) = (hostRows[host].free, hostRows[host].limit)
        if need.milliCPUs > free.milliCPUs {
            return .vcpus(
                neededMilli: need.milliCPUs, freeMilli: free.milliCPUs,
                limitMilli: limit.milliCPUs)
        }
        if need.memoryBytes > free.memoryBytes {
            return .memory(
                neededBytes: need.memoryBytes, freeBytes: free.memoryBytes,
                limitBytes: limit.memoryBytes)
        }
        let withOverhead = need.memoryBytes + migrationOverheadBytes
        if purpose == .migration, withOverhead > free.memoryBytes {
            return .migrationSpace(neededBytes: withOverhead, freeBytes: free.memoryBytes)
        }
        return nil
    }

    /// Hard groups only.
    private func groupRefusal(
        of vm: VMIndex, on host: HostIndex, with companions: [VMIndex]
    ) -> Refusal? {
        for group in groupsOfVM[vm] where groups[Int(group)].group.isHard {
            let description = groups[Int(group)].group
            let others = otherMembers(ofGroup: group, beside: vm, near: host, without: companions)
            switch description.kind {
            case .together:
                guard others.all > others.near else { continue }
                return .affinity(
                    group: description.name,
                    domain: describeDomain(of: host, in: description.scope),
                    membersElsewhere: Int(others.all - others.near))
            case .apart(let perDomainMax):
                guard Int(others.near) >= perDomainMax else { continue }
                return .antiAffinity(
                    group: description.name,
                    domain: describeDomain(of: host, in: description.scope),
                    members: Int(others.near), max: perDomainMax)
            case .partition(let whole):
                let strangers = siblingMembers(
                    ofGroup: group, beside: vm, near: host, without: companions)
                guard strangers > 0 else { continue }
                return .antiAffinity(
                    group: "\(whole), other partitions,",
                    domain: describeDomain(of: host, in: description.scope),
                    members: Int(strangers),
                    max: 0)
            }
        }
        return nil
    }
}
