// Consolidation: hosts are emptied whose moves cost less than an empty host is worth, the cheapest first.
//
// Each VM of such a host goes to the fullest host that has room for it within the margins of measured load; hosts
// without VMs take none. A host is emptied as a whole or left as it is. So each plan that is carried out leaves fewer
// hosts in use, and no VM can go to and fro: the host that it left is empty.

import Model

extension ClusterState {
    /// Moves that empty hosts. Nothing is changed.
    package func planConsolidation(
        rules: ConsolidationRules = ConsolidationRules(),
        costs: MigrationCostModel = MigrationCostModel()
    ) -> ConsolidationPlan {
        var planner = ConsolidationPlanner(cluster: self, rules: rules, costs: costs)
        planner.planMoves()
        var plan = planner.plan
        plan.moves = WaveScheduler.scheduleMoves(
            for: planner.requests, in: self, limits: rules.limits, costs: costs)
        if !plan.moves.left.isEmpty || plan.moves.moves.count > planner.vmsSent {
            // Some overtook others and now stand in their way; the order of the plan itself always works, with no stop
            // on the way that nobody has counted.
            plan.moves = WaveScheduler.scheduleMoves(
                for: planner.requests, in: self, limits: rules.limits, costs: costs, strictly: true)
        }
        return plan
    }

    /// Active hosts that have no VMs, expect none, and are more than the spare ones: the last in host order.
    package func hostsToSleep(rules: ConsolidationRules = ConsolidationRules()) -> [HostIndex] {
        let idle = idleHosts()
        return Array(idle.dropFirst(spareHostCount(for: rules)))
    }

    /// Of those that sleep, as many as are missing from the spare ones: the first.
    package func hostsToWake(
        rules: ConsolidationRules = ConsolidationRules(), asleep: [HostIndex]
    ) -> [HostIndex] {
        Array(asleep.prefix(max(0, spareHostCount(for: rules) - idleHosts().count)))
    }

    /// Awake, without VMs, and expecting none.
    private func idleHosts() -> [HostIndex] {
        let expecting = hostsOfMoves()
        return allHosts.filter {
            hostRows[$0].isActive && hostRows[$0].vmCount == 0 && !expecting.contains($0)
        }
    }

    /// How many idle hosts stay awake.
    private func spareHostCount(for rules: ConsolidationRules) -> Int {
        let awake = hostRows.reduce(0) { $0 + ($1.isActive ? 1 : 0) }
        let share = (Double(awake) * max(0, rules.spareShare)).rounded(.up)
        return max(0, rules.spareHosts, Int(min(share, Double(awake))))
    }

    /// Where VMs are leaving from or coming to.
    fileprivate func hostsOfMoves() -> Set<HostIndex> {
        var hosts: Set<HostIndex> = []
        for row in vmRows where row.isUsed && row.target >= 0 {
            hosts.formUnion([Int(row.host), Int(row.target)])
        }
        return hosts
    }
}

private struct ConsolidationPlanner {
    private var cluster: ClusterState
    private let rules: ConsolidationRules
    private let costs: MigrationCostModel
    private let worth: Double
    /// Hosts that take nothing: emptied by this plan.
    private var isClosed: [Bool]
    private var hasTaken: [Bool]
    private var barredHost: [VMIndex: HostIndex] = [:]
    private(set) var requests: [MoveRequest] = []
    private(set) var plan = ConsolidationPlan()

    var vmsSent: Int { requests.reduce(0) { $0 + $1.vms.count } }

    init(
        cluster: ClusterState, rules: ConsolidationRules, costs: MigrationCostModel
    ) {
        self.cluster = cluster
        self.cluster.dropIndexes()
        self.cluster.maintainIndex(for: BestFit())
        self.rules = rules
        self.costs = costs
        worth = rules.price.worth
        isClosed = Array(repeating: false, count: cluster.hosts.count)
        hasTaken = isClosed
    }

    mutating func planMoves() {
        var failures = 0
        for candidate in candidates() {
            let vms = cluster.hostedVMCount(on: candidate.host)
            if hasTaken[candidate.host] {
                plan.others.taking += 1
            } else if failures == Limits.consolidationFailuresMax
                || vmsSent + vms > rules.movesMax
            {
                plan.others.notTried += 1
            } else if !tryEmptyingHost(candidate.host) {
                failures += 1
            }
        }
    }

    /// Hosts whose VMs may all be moved for less than an empty host is worth, the cheapest first.
    private mutating func candidates() -> [(host: HostIndex, cost: Double)] {
        let moving = cluster.hostsOfMoves()
        var candidates: [(host: HostIndex, cost: Double)] = []
        for host in cluster.allHosts
        where cluster.hostRows[host].isActive && cluster.hostRows[host].vmCount > 0 {
            let vms = cluster.hostedVMs(on: host)
            guard !moving.contains(host), vms.allSatisfy({ canMigrate(vm: $0) }) else {
                plan.others.held += 1
                continue
            }
            let link = cluster.hosts[host].linkBytesPerSecond
            let cost = vms.reduce(0) { $0 + self.migrationCost(of: $1, linkSpeed: link) }
            if cost < worth {
                candidates.append((host, cost))
            } else {
                plan.others.tooDear += 1
            }
        }
        return candidates.sorted { ($0.cost, $0.host) < ($1.cost, $1.host) }
    }

    /// Also notes the host that a VM may not go back to.
    private mutating func canMigrate(vm: VMIndex) -> Bool {
        let description = cluster.descriptions[vm]
        guard description.mayBeBalanced, cluster.vmRows[vm].pinned < 0 else { return false }
        guard let last = description.lastMove else { return true }
        if last.age < rules.returnBar { barredHost[vm] = cluster.indexOfHost(named: last.from) }
        return last.age >= rules.coolDown
    }

    /// In host seconds; infinite when the VM's downtime limit would not hold.
    private func migrationCost(of vm: VMIndex, linkSpeed link: Double) -> Double {
        let description = cluster.descriptions[vm]
        let expected = costs.expectedFigures(of: description, linkBytesPerSecond: link)
        guard expected.downtime <= description.downtimeLimit.duration.seconds else {
            return .infinity
        }
        let price = rules.price
        return expected.seconds * price.hostShare + expected.downtime * price.downtimeShare
            + expected.bytes / 0x1p30 * price.gibibyteShare
    }

    /// Finds a place for all VMs of a host; else all stays as it was.
    private mutating func tryEmptyingHost(_ host: HostIndex) -> Bool {
        var sent: [(bundle: [VMIndex], target: HostIndex)] = []
        var cost = 0.0
        isClosed[host] = true
        for bundle in cluster.affinityBundles(on: host) {
            guard let target = consolidationTarget(for: bundle) else {
                plan.others.withoutPlace += 1
                returnBundles(sent.map(\.bundle), to: host)
                return false
            }
            cost += self.migrationCost(of: bundle, from: host, to: target)
            for vm in bundle { cluster.relocateVM(vm, to: target) }
            sent.append((bundle, target))
        }
        guard cost < worth else {
            plan.others.tooDear += 1
            returnBundles(sent.map(\.bundle), to: host)
            return false
        }
        for (bundle, target) in sent {
            requests.append(
                MoveRequest(vms: bundle, to: target, reason: .empties(worth: worth, cost: cost)))
            hasTaken[target] = true
        }
        let vms = sent.reduce(0) { $0 + $1.bundle.count }
        plan.emptied.append(EmptiedHost(host: host, vms: vms, worth: worth, cost: cost))
        return true
    }

    private func migrationCost(
        of bundle: [VMIndex], from source: HostIndex, to target: HostIndex
    ) -> Double {
        let link = min(
            cluster.hosts[source].linkBytesPerSecond, cluster.hosts[target].linkBytesPerSecond)
        return bundle.reduce(0) { $0 + migrationCost(of: $1, linkSpeed: link) }
    }

    private mutating func returnBundles(_ bundles: [[VMIndex]], to host: HostIndex) {
        for vm in bundles.joined() { cluster.relocateVM(vm, to: host) }
        isClosed[host] = false
    }

    /// The fullest host in use that takes the whole bundle within the margins.
    private mutating func consolidationTarget(for bundle: [VMIndex]) -> HostIndex? {
        let load = bundle.reduce(LoadVector.zero) { $0 + cluster.vmRows[$1].load }
        var whole = cluster.vmRows[bundle[0]]
        whole.request = bundle.reduce(.none) { $0 + cluster.vmRows[$1].request }
        let barred = bundle.compactMap { barredHost[$0] }
        var refused: Set<HostIndex> = []
        while true {
            let found = cluster.index.searchHosts(
                in: .leastFree, for: whole, rows: cluster.hostRows, largest: cluster.largestLimit
            ) { host in
                !isClosed[host] && cluster.hostRows[host].vmCount > 0 && !refused.contains(host)
                    && !barred.contains(host) && isWithinMargins(host: host, adding: load)
                    && cluster.canPlaceVM(bundle[0], on: host, for: .migration, with: bundle)
            }
            guard let found, bundle.count > 1, !cluster.canAcceptBundle(bundle, on: found) else {
                return found
            }
            refused.insert(found)
        }
    }

    private func isWithinMargins(host: HostIndex, adding load: LoadVector) -> Bool {
        let row = cluster.hostRows[host]
        let share = (row.load + load) * row.inverseCapacity
        return share.x <= rules.cpuMax && share.y <= rules.memoryMax
    }
}
