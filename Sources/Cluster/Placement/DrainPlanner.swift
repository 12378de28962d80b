// Drain: a destination for every VM of the hosts that are to be emptied, spread well at once.
//
// The important and the large go first, while there is most room. Each goes to the host where the load is most even
// afterwards. A VM that fits nowhere gets its room made: a few small VMs leave one host for others.

import Model

extension ClusterState {
    /// The moves that empty these hosts. Nothing is changed; the hosts count as draining for the plan.
    package func planDrain(
        of hosts: [HostIndex], limits: MoveLimits = MoveLimits(),
        costs: MigrationCostModel = MigrationCostModel()
    ) -> MovePlan {
        var evacuation = Evacuation(self)
        evacuation.closeHosts(hosts)
        for host in hosts { evacuation.evacuateHost(host) }
        var start = self
        start.dropIndexes()
        for host in hosts where start.hostRows[host].isActive {
            start.setHostState(.draining, of: host)
        }
        var plan = WaveScheduler.scheduleMoves(
            for: evacuation.requests, in: start, limits: limits, costs: costs)
        plan.left = evacuation.left + plan.left
        return plan
    }
}

/// Destinations for the VMs of hosts that are emptied one by one, on a copy of the cluster.
struct Evacuation {
    private(set) var cluster: ClusterState
    private var spread: LoadSpread
    private(set) var requests: [MoveRequest] = []
    /// Where the VMs of each wish were.
    private var sources: [[HostIndex]] = []
    private(set) var left: [UnplannedVM] = []

    /// Hosts on which room may still be tried to be made.
    private var roomTries: Int

    /// - Parameter roomTries: 0: VMs that fit nowhere are left at once.
    init(_ cluster: ClusterState, roomTries: Int = Limits.roomTriesMax) {
        self.roomTries = roomTries
        self.cluster = cluster
        self.cluster.dropIndexes()
        spread = LoadSpread(of: cluster) { cluster.hostRows[$0].isActive }
    }

    /// From now on these hosts take no VMs and do not count in the figure.
    mutating func closeHosts(_ hosts: [HostIndex]) {
        for host in hosts where cluster.hostRows[host].isActive {
            cluster.setHostState(.draining, of: host)
        }
        spread = LoadSpread(of: cluster) { cluster.hostRows[$0].isActive }
    }

    /// Empties a host too if that works; else all stays as it was.
    mutating func emptyIfPossible(host: HostIndex) -> Bool {
        let (state, sent) = (cluster.hosts[host].state, requests.count)
        closeHosts([host])
        evacuateHost(host)
        if left.isEmpty { return true }
        left = []
        while requests.count > sent { undoLastRequest() }
        cluster.setHostState(state, of: host)
        spread = LoadSpread(of: cluster) { cluster.hostRows[$0].isActive }
        return false
    }

    /// Finds destinations for all VMs of a host.
    mutating func evacuateHost(_ host: HostIndex) {
        for bundle in cluster.affinityBundles(on: host) {
            if let target = bestTarget(for: bundle) {
                relocateBundle(bundle, to: target, reason: .drains)
            } else if !makeRoom(for: bundle) {
                for vm in bundle {
                    left.append(
                        UnplannedVM(
                            vm: vm,
                            reason: cluster.refusalSummary(of: vm, for: .migration, with: bundle)))
                }
            }
        }
    }

    /// The host that takes the whole bundle and leaves the load most even; the first of equals.
    private mutating func bestTarget(for bundle: [VMIndex]) -> HostIndex? {
        let size = bundle.reduce(LoadVector.zero) {
            $0 + spread.countedLoad(of: cluster.vmRows[$1])
        }
        let wishes = bundle.filter { cluster.hasSoftGroups(vm: $0) }
        var best: (host: HostIndex, score: Double)?
        for host in cluster.allHosts {
            guard cluster.canPlaceVM(bundle[0], on: host, for: .migration, with: bundle) else {
                continue
            }
            var score = spread.projectedScore(adding: size, to: host)
            for vm in wishes { score -= softBonus(of: vm, on: host) }
            if let best, score >= best.score { continue }
            if bundle.count > 1, !cluster.canAcceptBundle(bundle, on: host) { continue }
            best = (host, score)
        }
        return best?.host
    }

    /// Soft groups weigh as much as the whole imbalance may.
    private func softBonus(of vm: VMIndex, on host: HostIndex) -> Double {
        cluster.softAffinityTerms(of: vm, on: host).reduce(0) { $0 + $1.value }
    }

    private mutating func relocateBundle(
        _ bundle: [VMIndex], to target: HostIndex, reason: MoveReason
    ) {
        sources.append(bundle.compactMap { cluster.currentHost(of: $0) })
        for vm in bundle {
            spread.relocateVM(vm, in: cluster, to: target)
            cluster.relocateVM(vm, to: target)
        }
        requests.append(MoveRequest(vms: bundle, to: target, reason: reason))
    }

    private mutating func undoLastRequest() {
        let (wish, sources) = (requests.removeLast(), sources.removeLast())
        for (vm, source) in zip(wish.vms, sources) {
            spread.relocateVM(vm, in: cluster, to: source)
            cluster.relocateVM(vm, to: source)
        }
    }
}

// MARK: - Room for those that fit nowhere

extension Evacuation {
    /// Sends a few small VMs away from one host so that a VM fits there.
    private mutating func makeRoom(for bundle: [VMIndex]) -> Bool {
        guard roomTries > 0, bundle.count == 1, let vm = bundle.first else { return false }
        for host in roomiestHosts(for: vm) {
            guard roomTries > 0 else { return false }
            roomTries -= 1
            let sent = requests.count
            for other in displaceableVMs(on: host, for: vm) {
                guard let target = bestTarget(for: [other]) else { continue }
                relocateBundle([other], to: target, reason: .makesRoom(for: vm))
                if cluster.canPlaceVM(vm, on: host, for: .migration) {
                    relocateBundle(bundle, to: host, reason: .drains)
                    return true
                }
                if requests.count - sent == Limits.makeRoomVMsMax { break }
            }
            while requests.count > sent { undoLastRequest() }
        }
        return false
    }

    /// Hosts that would suit the VM if they had room, the least short of it first.
    private func roomiestHosts(for vm: VMIndex) -> [HostIndex] {
        let need = cluster.vmRows[vm].request
        let short = cluster.allHosts.lazy.filter { cluster.hasTraits(host: $0, neededBy: vm) }.map {
            host -> (host: HostIndex, short: Double) in
            let lack = (need - cluster.hostRows[host].free).normalised(to: cluster.largestLimit)
            return (host, max(lack.x, 0) + max(lack.y, 0))
        }
        return short.sorted { ($0.short, $0.host) < ($1.short, $1.host) }
            .prefix(Limits.makeRoomHostsMax).map(\.host)
    }

    /// The VMs of a host that may give way: those that free enough alone, the smallest first; then the others, the
    /// largest first.
    private func displaceableVMs(on host: HostIndex, for vm: VMIndex) -> [VMIndex] {
        let lack = cluster.vmRows[vm].request - cluster.hostRows[host].free
        let mayGo = cluster.hostedVMs(on: host).filter {
            let description = cluster.descriptions[$0]
            return description.mayBeBalanced
                && description.priority <= cluster.descriptions[vm].priority
                && cluster.vmRows[$0].target < 0 && cluster.affinityBundle(of: $0).count == 1
        }
        func memorySize(of vm: VMIndex) -> Double {
            let units = cluster.requestInUnits(of: vm)
            return units.cpu + units.memory
        }
        let enough = mayGo.filter { lack.isContained(in: cluster.vmRows[$0].request) }
        let others = mayGo.filter { !lack.isContained(in: cluster.vmRows[$0].request) }
        return enough.sorted { (memorySize(of: $0), $0) < (memorySize(of: $1), $1) }
            + others.sorted { (memorySize(of: $0), $1) > (memorySize(of: $1), $0) }
    }
}
