// One decision: the host for a VM, by a policy.

import Model

extension ClusterState {
    /// The host that a policy chooses for a VM; nil when every host refuses it. Nothing is changed.
    ///
    /// A VM that runs nowhere is to start; one that runs is to move.
    package func chooseHost(for vm: VMIndex, using policy: some PlacementPolicy) -> HostIndex? {
        if policy.choice == .dictated { return policy.dictatedHost(for: vm, in: self) }
        let purpose = placementPurpose(of: vm)
        if let few = candidateHosts(for: vm) {
            return highestScoringHost(for: vm, using: policy, among: few, purpose: purpose)
        }
        switch policy.choice {
        case .inOrder(let order) where index.maintainsOrder(order) && !hasSoftGroups(vm: vm):
            return index.searchHosts(
                in: order, for: vmRows[vm], rows: hostRows, largest: largestLimit
            ) {
                canPlaceVM(vm, on: $0, for: purpose)
            }
        case .drawn(let count, let seed):
            let drawn = drawHosts(count: count, seed: seed, for: vm, purpose: purpose)
            return highestScoringHost(
                for: vm, using: policy, among: drawn.sorted(), purpose: purpose)
        case .all, .inOrder, .dictated:
            return highestScoringHost(for: vm, using: policy, among: allHosts, purpose: purpose)
        }
    }

    /// The same decision with a look at every host, for a policy that looks at all or goes by an order.
    package func chooseHostByScan(for vm: VMIndex, using policy: some PlacementPolicy) -> HostIndex?
    {
        highestScoringHost(
            for: vm, using: policy, among: allHosts, purpose: placementPurpose(of: vm))
    }

    func placementPurpose(of vm: VMIndex) -> PlacementPurpose {
        vmRows[vm].host < 0 ? .start : .migration
    }

    private func highestScoringHost(
        for vm: VMIndex, using policy: some PlacementPolicy, among hosts: some Sequence<HostIndex>,
        purpose: PlacementPurpose
    ) -> HostIndex? {
        let hasSoftGroups = hasSoftGroups(vm: vm)
        var best: (host: HostIndex, score: Double)?
        for host in hosts where canPlaceVM(vm, on: host, for: purpose) {
            var score = policy.placementScore(of: vm, on: host, in: self)
            if hasSoftGroups {
                score += softAffinityTerms(of: vm, on: host).reduce(0) { $0 + $1.value }
            }
            if let best, score <= best.score { continue }
            best = (host, score)
        }
        return best?.host
    }

    /// The hosts that a pin or a group that belongs together leaves; nil: no such bond.
    private func candidateHosts(for vm: VMIndex) -> [HostIndex]? {
        if vmRows[vm].pinned >= 0 { return [Int(vmRows[vm].pinned)] }
        guard vmRows[vm].hasGroups else { return nil }
        let own = vmRows[vm].host
        for group in groupsOfVM[vm] where bindsToHost(group: group) {
            let counts = groups[Int(group)].counts
            if counts.isEmpty || (counts.count == 1 && counts[own] == 1) { continue }
            return counts.keys.map { Int($0) }.sorted()
        }
        return nil
    }

    /// Hosts that admit the VM, by lot. Where lots find too few, the next in host order are taken, round the end.
    func drawHosts(
        count: Int, seed: UInt64, for vm: VMIndex, purpose: PlacementPurpose
    ) -> [HostIndex] {
        guard !hosts.isEmpty else { return [] }
        let id = descriptions[vm].id
        var lots = SplitMix64(seed: seed ^ id.high &* 0x9E37_79B9_7F4A_7C15 ^ id.low)
        var drawn: [HostIndex] = []
        for _ in 0..<(count * Limits.drawsPerHost) {
            if drawn.count == count { break }
            let host = lots.drawNumber(below: hosts.count)
            if !drawn.contains(host), canPlaceVM(vm, on: host, for: purpose) { drawn.append(host) }
        }
        let start = lots.drawNumber(below: hosts.count)
        for step in hosts.indices {
            if drawn.count == count { break }
            let host = (start + step) % hosts.count
            if !drawn.contains(host), canPlaceVM(vm, on: host, for: purpose) { drawn.append(host) }
        }
        return drawn
    }
}
