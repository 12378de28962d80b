// Balance: the move that brings most for what it costs, again and again, until none is worth it.

import Model

extension ClusterState {
    /// Moves that lower the imbalance. Nothing is changed.
    ///
    /// - Parameter spread: the figure to lower; by default measured load over active hosts.
    package func planBalance(
        rules: BalanceRules = BalanceRules(), costs: MigrationCostModel = MigrationCostModel(),
        spread: LoadSpread? = nil
    ) -> BalancePlan {
        let spread = spread ?? LoadSpread(of: self) { hostRows[$0].isActive }
        var planner = BalancePlanner(cluster: self, spread: spread, rules: rules, costs: costs)
        let outcome = planner.planMoves()
        let wishes = planner.requests
        var moves = WaveScheduler.scheduleMoves(
            for: wishes, in: self, limits: rules.limits, costs: costs)
        if !moves.left.isEmpty {
            // Some overtook others and now stand in their way; the order of the plan itself always works.
            moves = WaveScheduler.scheduleMoves(
                for: wishes, in: self, limits: rules.limits, costs: costs, strictly: true)
        }
        return BalancePlan(
            before: spread.score, after: planner.spread.score, moves: moves, outcome: outcome)
    }
}

struct BalancePlanner {
    private struct Candidate {
        var vm: VMIndex
        var from: HostIndex
        var to: HostIndex
        var gain: Double
        var worth: Double
        var cost: Double
        var net: Double { worth - cost }
    }

    private var cluster: ClusterState
    private(set) var spread: LoadSpread
    private(set) var requests: [MoveRequest] = []
    private let rules: BalanceRules
    private let costs: MigrationCostModel
    /// What one unit of the figure is worth.
    private let worthPerGain: Double
    private var isHeld: [Bool]
    private var barredHost: [Int32]
    /// Over the source's own link; NaN: not computed yet, infinite: not to be moved.
    private var costOfVM: [Double]
    private var facts = BestRefusedMove()
    private var nearest: Candidate?

    init(
        cluster: ClusterState, spread: LoadSpread, rules: BalanceRules,
        costs: MigrationCostModel
    ) {
        self.cluster = cluster
        self.cluster.dropIndexes()
        self.spread = spread
        self.rules = rules
        self.costs = costs
        let horizon = rules.price?.horizon.seconds ?? 1
        worthPerGain = horizon * Double(max(1, spread.hostCount))
        isHeld = cluster.vmRows.map {
            !$0.isUsed || $0.host < 0 || $0.target >= 0 || $0.pinned >= 0
        }
        barredHost = Array(repeating: -1, count: cluster.vmRows.count)
        costOfVM = Array(
            repeating: rules.price == nil ? 0 : .nan, count: cluster.vmRows.count)
        for vm in isHeld.indices where !isHeld[vm] { recordRestrictions(of: vm) }
    }

    /// Notes what a VM's own wishes and its last move forbid.
    private mutating func recordRestrictions(of vm: VMIndex) {
        if !cluster.descriptions[vm].mayBeBalanced { isHeld[vm] = true }
        guard let last = cluster.descriptions[vm].lastMove else { return }
        if last.age < rules.coolDown { isHeld[vm] = true }
        if last.age < rules.returnBar, let host = cluster.indexOfHost(named: last.from) {
            barredHost[vm] = Int32(host)
        }
    }

    mutating func planMoves() -> BalanceOutcome {
        if spread.score <= rules.startAbove {
            return .isBalanced(imbalance: spread.score, startAbove: rules.startAbove)
        }
        while requests.count < rules.movesMax {
            if spread.score <= rules.settleAt {
                return .settled(imbalance: spread.score, settleAt: rules.settleAt)
            }
            let candidates = candidates()
            if candidates.isEmpty { return .noMoveIsWorthIt(closingFacts()) }
            applyCandidates(candidates)
        }
        return .movesMaxReached(rules.movesMax)
    }

    /// Takes candidates, the best first, as long as each is still worth it after those before it.
    private mutating func applyCandidates(_ candidates: [Candidate]) {
        for (place, candidate) in candidates.enumerated() {
            guard requests.count < rules.movesMax, spread.score > rules.settleAt else { return }
            if place > 0 {
                guard let again = reevaluation(of: candidate) else { continue }
                applyMove(again)
            } else {
                applyMove(candidate)
            }
        }
    }

    private func reevaluation(of candidate: Candidate) -> Candidate? {
        var again = candidate
        let size = spread.countedLoad(of: cluster.vmRows[candidate.vm])
        again.gain =
            spread.score
            - spread.projectedScore(moving: size, from: candidate.from, to: candidate.to)
        again.worth = again.gain * worthPerGain
        guard again.gain > rules.gainMin, again.net > 0,
            cluster.canPlaceVM(again.vm, on: again.to, for: .migration)
        else { return nil }
        return again
    }

    private mutating func applyMove(_ move: Candidate) {
        let before = spread.score
        spread.transferLoad(
            spread.countedLoad(of: cluster.vmRows[move.vm]), from: move.from, to: move.to)
        cluster.relocateVM(move.vm, to: move.to)
        isHeld[move.vm] = true
        requests.append(
            MoveRequest(
                vms: [move.vm], to: move.to,
                reason: .balances(
                    before: before, after: spread.score, worth: move.worth, cost: move.cost)))
    }

    /// The best move among the hottest and coolest hosts. While there is none, among more and more hosts, and then
    /// the best of each host: where the load is nearly even, many moves are worth about the same, and one look at
    /// all hosts serves for all of them.
    private mutating func candidates() -> [Candidate] {
        facts.pairsJudged = 0
        nearest = nil
        let active = cluster.allHosts.filter { cluster.hostRows[$0].isActive }
        var width = rules.isExhaustive ? active.count : Limits.balanceHosts
        let rankings = hostRankings()
        while true {
            let isWhole = width >= active.count
            let sources =
                isWhole
                ? active : extremeHosts(of: active, rankings: rankings, width: width, hottest: true)
            let targets =
                isWhole
                ? active
                : extremeHosts(of: active, rankings: rankings, width: width, hottest: false)
            let isFirstLook = rules.isExhaustive || width == Limits.balanceHosts
            let found =
                isFirstLook
                ? [bestCandidate(from: sources, to: targets)].compactMap { $0 }
                : sources.compactMap { bestCandidate(from: [$0], to: targets) }
                    .sorted { ($0.net, $1.vm) > ($1.net, $0.vm) }
            facts.sawAll = isWhole
            if !found.isEmpty || isWhole || facts.pairsJudged > Limits.balancePairsMax {
                return found
            }
            width *= Limits.balanceWidening
        }
    }

    /// What makes a host hot: the slope of the figure, the load of its processors, the load of its memory.
    private func hostRankings() -> [[Double]] {
        [spread.scoreSlopes(), spread.share.map { $0.x }, spread.share.map { $0.y }]
    }

    private func extremeHosts(
        of hosts: [HostIndex], rankings: [[Double]], width: Int, hottest: Bool
    ) -> [HostIndex] {
        var chosen: Set<HostIndex> = []
        for ranking in rankings {
            chosen.formUnion(
                smallestElements(count: width, of: hosts) { hottest ? -ranking[$0] : ranking[$0] })
        }
        return chosen.sorted()
    }

    private mutating func bestCandidate(
        from sources: [HostIndex], to targets: [HostIndex]
    ) -> Candidate? {
        var best: Candidate?
        for source in sources {
            var vm = Int(cluster.hostRows[source].firstVM)
            while vm >= 0 {
                if !isHeld[vm] { evaluateMoves(of: vm, from: source, to: targets, best: &best) }
                vm = Int(cluster.vmRows[vm].next)
            }
        }
        return best
    }

    private mutating func evaluateMoves(
        of vm: VMIndex, from source: HostIndex, to targets: [HostIndex], best: inout Candidate?
    ) {
        if costOfVM[vm].isNaN { costOfVM[vm] = migrationCost(of: vm, from: source, to: source) }
        let cost = costOfVM[vm]
        guard cost.isFinite else {
            isHeld[vm] = true
            return
        }
        let size = spread.countedLoad(of: cluster.vmRows[vm])
        let before = spread.score
        facts.pairsJudged += targets.count
        // Worth at least this much, it is the best so far, or the one that misses by least.
        var toBeat = (best ?? nearest).map { $0.net + cost } ?? -.infinity
        for target in targets where target != source {
            let gain = before - spread.projectedScore(moving: size, from: source, to: target)
            let worth = gain * worthPerGain
            guard gain > rules.gainMin, worth > toBeat else { continue }
            guard Int(barredHost[vm]) != target, cluster.canPlaceVM(vm, on: target, for: .migration)
            else { continue }
            let candidate = Candidate(
                vm: vm, from: source, to: target, gain: gain, worth: worth,
                cost: self.migrationCost(of: vm, from: source, to: target))
            guard candidate.net > (best ?? nearest)?.net ?? -.infinity else { continue }
            if candidate.net > 0 { best = candidate } else { nearest = candidate }
            toBeat = candidate.net + cost
        }
    }

    /// In host seconds; infinite when the VM's downtime limit would not hold.
    private func migrationCost(of vm: VMIndex, from source: HostIndex, to target: HostIndex)
        -> Double
    {
        guard let price = rules.price else { return 0 }
        let link = min(
            cluster.hosts[source].linkBytesPerSecond, cluster.hosts[target].linkBytesPerSecond)
        let description = cluster.descriptions[vm]
        let expected = costs.expectedFigures(of: description, linkBytesPerSecond: link)
        guard expected.downtime <= description.downtimeLimit.duration.seconds else {
            return .infinity
        }
        return expected.seconds * price.hostShare + expected.downtime * price.downtimeShare
    }

    private func closingFacts() -> BestRefusedMove {
        var facts = facts
        facts.vmsHeld = cluster.vmRows.indices.reduce(0) {
            $0 + (cluster.vmRows[$1].isUsed && isHeld[$1] ? 1 : 0)
        }
        facts.nearest = nearest.map {
            BestRefusedMove.Move(
                vm: cluster.descriptions[$0.vm].name, to: cluster.hosts[$0.to].name,
                gain: $0.gain, worth: $0.worth, cost: $0.cost)
        }
        return facts
    }
}

/// The `count` elements with the smallest keys, the first of equals; in one pass.
private func smallestElements(
    count: Int, of elements: [HostIndex], by key: (HostIndex) -> Double
) -> [HostIndex] {
    var chosen: [(key: Double, element: HostIndex)] = []
    chosen.reserveCapacity(count + 1)
    for element in elements {
        let key = key(element)
        if chosen.count == count, let last = chosen.last, key >= last.key { continue }
        let place = chosen.firstIndex { key < $0.key } ?? chosen.count
        chosen.insert((key, element), at: place)
        if chosen.count > count { chosen.removeLast() }
    }
    return chosen.map(\.element)
}
