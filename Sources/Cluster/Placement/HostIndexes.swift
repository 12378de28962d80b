// The orders of hosts that policies search by, kept up to date as VMs come and go. Only those asked for are kept.

/// An order in which the best host for any VM comes first, so that a search may stop at the first that admits it.
package enum HostOrder: Hashable, Sendable, CaseIterable {
    /// As they were added.
    case listed
    /// The least free room first, vCPUs and memory added in units of the largest host.
    case leastFree
    /// The most free room first.
    case mostFree
    /// The smallest load first: the larger of the shares of cores and memory in use.
    case leastLoaded
    /// By the dot product of what the VM asks for and what is free, the largest first. Depends on the VM.
    case aligned
    /// The host that the VM outlives least first, and of those the one with the least free room. Depends on the VM.
    case leastOutlived
}

struct HostIndexes: Sendable {
    private var tree: FreeTree?
    private var leastFree: HostsByRoom?
    /// For `mostFree` and `aligned`.
    private var mostFree: SortedHosts?
    private var leastLoaded: SortedHosts?
    private var byExit: HostsByExit?

    var isEmpty: Bool {
        tree == nil && leastFree == nil && mostFree == nil && leastLoaded == nil && byExit == nil
    }

    func maintainsOrder(_ order: HostOrder) -> Bool {
        switch order {
        case .listed: tree != nil
        case .leastFree: leastFree != nil
        case .mostFree, .aligned: mostFree != nil
        case .leastLoaded: leastLoaded != nil
        case .leastOutlived: byExit != nil
        }
    }

    mutating func createIndex(for order: HostOrder) {
        switch order {
        case .listed: tree = FreeTree()
        case .leastFree: leastFree = HostsByRoom()
        case .mostFree, .aligned: mostFree = SortedHosts()
        case .leastLoaded: leastLoaded = SortedHosts()
        case .leastOutlived: byExit = HostsByExit()
        }
    }

    /// The same orders, with no host in them.
    func emptiedCopy() -> HostIndexes {
        var empty = HostIndexes()
        for order in HostOrder.allCases where maintainsOrder(order) {
            empty.createIndex(for: order)
        }
        return empty
    }

    mutating func updateOrders(of host: HostIndex, row: HostRow, largest: Resources) {
        let free = row.isActive ? row.free : nil
        let room = row.combinedFreeRoom(largest: largest)
        tree?.updateFreeRoom(of: host, to: free)
        leastFree?.updateHost(at: host, free: free, largest: largest)
        mostFree?.updateHost(at: host, place: free.map { (-room, $0) })
        leastLoaded?.updateHost(at: host, place: free.map { (row.loadMax, $0) })
        byExit?.updateHost(at: host, free: free, exit: row.exit, largest: largest)
    }

    /// The clock goes on, or is told anew.
    mutating func advanceClock(to now: Int, rows: [HostRow]) {
        byExit?.advanceClock(to: now, rows: rows)
    }

    /// Only for an order that is kept.
    func searchHosts(
        in order: HostOrder, for vm: VMRow, rows: [HostRow], largest: Resources,
        where admits: (HostIndex) -> Bool
    ) -> HostIndex? {
        let need = vm.request
        switch order {
        case .listed: return tree?.firstHost(fitting: need, where: admits)
        case .leastFree: return leastFree?.firstHost(fitting: need, largest: largest, where: admits)
        case .mostFree: return mostFree?.firstHost(fitting: need, where: admits)
        case .leastLoaded: return leastLoaded?.firstHost(fitting: need, where: admits)
        case .aligned:
            let wanted = need.normalised(to: largest)
            return mostFree?.mostValuableHost(
                fitting: need, value: { wanted.dotProduct(with: $0.normalised(to: largest)) },
                where: admits)
        case .leastOutlived:
            return byExit?.firstHost(for: vm, rows: rows, largest: largest, where: admits)
        }
    }
}

extension LoadVector {
    func dotProduct(with other: LoadVector) -> Double { x * other.x + y * other.y }
}

extension Resources {
    /// vCPUs and memory in one number, in units of the largest host.
    func combinedRoom(largest: Resources) -> Double {
        let units = normalised(to: largest)
        return units.x + units.y
    }
}

extension HostRow {
    /// Free vCPUs and memory in one number.
    func combinedFreeRoom(largest: Resources) -> Double { free.combinedRoom(largest: largest) }

    /// The scarcer of processors and memory, by what is in use.
    var loadMax: Double {
        let share = load * inverseCapacity
        return max(share.x, share.y)
    }
}

extension ClusterState {
    /// Keeps the order that a policy searches by from now on.
    package mutating func maintainIndex(for policy: any PlacementPolicy) {
        guard case .inOrder(let order) = policy.choice, !index.maintainsOrder(order) else { return }
        index.createIndex(for: order)
        rebuildIndexes()
    }

    /// Changes become cheaper, decisions of indexed policies dearer: for what-if with many changes.
    package mutating func dropIndexes() { index = HostIndexes() }

    mutating func rebuildIndexes() {
        guard !index.isEmpty else { return }
        index = index.emptiedCopy()
        index.advanceClock(to: now, rows: [])
        for host in allHosts {
            index.updateOrders(of: host, row: hostRows[host], largest: largestLimit)
        }
    }

    mutating func refreshIndex(of host: HostIndex) {
        if index.isEmpty { return }
        index.updateOrders(of: host, row: hostRows[host], largest: largestLimit)
    }
}
