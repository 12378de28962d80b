// The state held against its own rules and sums, from scratch: for tests, and for states that came from outside.

extension ClusterState {
    /// The first hard rule that the state as it stands breaks, in words; nil when all hold.
    ///
    /// A VM that is being moved counts at both ends. A group that belongs together may be under way as a whole.
    package func ruleViolation() -> String? {
        for host in allHosts where !hostRows[host].used.isContained(in: hostRows[host].limit) {
            return "\(hosts[host].name) has promised more than it has"
        }
        let placed = vmRows.indices.filter { vmRows[$0].isUsed && vmRows[$0].host >= 0 }
        if let rule = placed.lazy.compactMap({ traitViolation(of: $0) }).first { return rule }
        return groups.indices.lazy.compactMap { groupViolation(number: Int32($0), placed: placed) }
            .first
    }

    private func traitViolation(of vm: VMIndex) -> String? {
        let row = vmRows[vm]
        for place in [row.host, row.target] where place >= 0 {
            let host = hostRows[Int(place)]
            guard row.pinned < 0 || row.pinned == place,
                featureTable.coversNeeds(offeredID: host.features, neededID: row.features),
                labelTable.coversNeeds(offeredID: host.labels, neededID: row.labels)
            else { return "\(descriptions[vm].name) cannot run on \(hosts[Int(place)].name)" }
        }
        return nil
    }

    private func groupViolation(number group: Int32, placed: [VMIndex]) -> String? {
        let row = groups[Int(group)]
        guard row.group.isHard else { return nil }
        switch row.group.kind {
        case .apart(let perDomainMax):
            let most = Int(row.counts.values.max() ?? 0)
            return most > perDomainMax
                ? "group \(row.group.name) has \(most) in one place" : nil
        case .together:
            guard row.counts.count > 1 else { return nil }
            let members = placed.filter { groupsOfVM[$0].contains(group) }
            func domainCount(of hosts: [Int32]) -> Int {
                Set(hosts.map { domainNumber(of: Int($0), in: row.group.scope) }).count
            }
            let here = domainCount(of: members.map { vmRows[$0].host })
            let there = domainCount(of: members.map { vmRows[$0].target }.filter { $0 >= 0 })
            return here > 1 || there > 1
                ? "group \(row.group.name) is in \(here) places" : nil
        case .partition:
            let shared = row.siblings.contains { sibling in
                groups[Int(sibling)].counts.keys.contains { row.counts[$0] != nil }
            }
            return shared ? "group \(row.group.name) is in one place with another partition" : nil
        }
    }

    /// The first sum that differs from what its parts add up to, in words; nil when all are right.
    package func sumMismatch() -> String? {
        var used = [Resources](repeating: .none, count: hosts.count)
        var load = hosts.map { $0.ownUse.vector }
        var counts = [Int32](repeating: 0, count: hosts.count)
        var exits = [Int](repeating: .min, count: hosts.count)
        for row in vmRows where row.isUsed && row.host >= 0 {
            used[Int(row.host)] = used[Int(row.host)] + row.request
            load[Int(row.host)] += row.load
            counts[Int(row.host)] += 1
            exits[Int(row.host)] = max(exits[Int(row.host)], row.departure)
            guard row.target >= 0 else { continue }
            used[Int(row.target)] = used[Int(row.target)] + row.request
            used[Int(row.target)].memoryBytes += migrationOverheadBytes
        }
        for host in allHosts {
            let row = hostRows[host]
            let drift = (row.load - load[host]) * row.inverseCapacity
            guard row.used == used[host], row.vmCount == counts[host],
                row.exit == exits[host], hostedVMs(on: host).count == Int(row.vmCount),
                abs(drift.x) + abs(drift.y) < 1e-9
            else { return "the sums of \(hosts[host].name) are wrong" }
        }
        return groupCountMismatch()
    }

    private func groupCountMismatch() -> String? {
        for (number, row) in groups.enumerated() {
            var counts: [Int32: Int32] = [:]
            for vm in vmRows.indices where groupsOfVM[vm].contains(Int32(number)) {
                let places = [vmRows[vm].host, vmRows[vm].target].filter { $0 >= 0 }
                for domain in Set(places.map { domainNumber(of: Int($0), in: row.group.scope) }) {
                    counts[domain, default: 0] += 1
                }
            }
            let total = counts.values.reduce(0, +)
            guard counts == row.counts, total == row.total else {
                return "the counts of group \(row.group.name) are wrong"
            }
        }
        return nil
    }
}
