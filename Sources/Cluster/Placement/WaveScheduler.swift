// From wishes to waves: which moves can go side by side, and which have to wait for which.
//
// Wishes are started in their order as long as limits and rules allow; those that cannot start wait for the next
// wave, when others have left. If nothing can start and nothing is under way, wishes stand in each other's way (a
// cycle): one VM then makes a stop on a spare host.

/// VMs that go to one host together; mostly a single one.
struct MoveWish: Sendable {
    var vms: [VMIndex]
    var to: HostIndex
    var reason: MoveReason
}

struct WaveScheduler {
    private(set) var cluster: ClusterState
    private let limits: MoveLimits
    private let costs: MigrationCostModel
    private(set) var plan = MovePlan()

    private var pending: [MoveWish]
    private var hasStopped: Set<VMIndex> = []
    private var hostMoves: [HostIndex: Int] = [:]
    private var linkMoves: [Int32: Int] = [:]
    private var underWay: [(vm: VMIndex, from: HostIndex, reason: MoveReason)] = []

    init(
        _ wishes: [MoveWish], in cluster: ClusterState, limits: MoveLimits,
        costs: MigrationCostModel
    ) {
        self.cluster = cluster
        self.cluster.dropIndexes()
        self.limits = limits
        self.costs = costs
        pending = wishes
    }

    /// The waves; `left` of the plan holds what could not be scheduled.
    ///
    /// - Parameter strictly: no wish overtakes one before it.
    static func schedule(
        _ wishes: [MoveWish], in cluster: ClusterState, limits: MoveLimits,
        costs: MigrationCostModel, strictly: Bool = false
    ) -> MovePlan {
        var scheduler = WaveScheduler(wishes, in: cluster, limits: limits, costs: costs)
        while !scheduler.pending.isEmpty {
            scheduler.startWhatCan(strictly: strictly)
            if scheduler.underWay.isEmpty, !scheduler.startDetour() { break }
            scheduler.finishWave()
        }
        scheduler.noteLeft()
        return scheduler.plan
    }

    private mutating func startWhatCan(strictly: Bool) {
        var waiting: [MoveWish] = []
        for (place, wish) in pending.enumerated() {
            let isFull = underWay.count >= limits.perCluster
            if isFull || (strictly && !waiting.isEmpty) {
                waiting.append(contentsOf: pending[place...])
                break
            }
            if !start(wish) { waiting.append(wish) }
        }
        pending = waiting
    }

    /// Starts all VMs of a wish or none.
    private mutating func start(_ wish: MoveWish) -> Bool {
        guard isWithinLimits(wish) else { return false }
        for (place, vm) in wish.vms.enumerated() {
            guard cluster.target(of: vm) == nil,
                cluster.admits(vm, on: wish.to, for: .migration, with: wish.vms)
            else {
                for begun in wish.vms[..<place] { cluster.abandonMove(begun) }
                return false
            }
            cluster.beginMove(vm, to: wish.to)
        }
        for vm in wish.vms {
            guard let from = cluster.host(of: vm) else { continue }
            count(from, wish.to)
            underWay.append((vm, from, wish.reason))
        }
        return true
    }

    /// A group that has to go at once may exceed a limit, but only alone.
    private func isWithinLimits(_ wish: MoveWish) -> Bool {
        if underWay.isEmpty { return true }
        let more = wish.vms.count
        guard underWay.count + more <= limits.perCluster, hasRoom(wish.to, for: more) else {
            return false
        }
        return wish.vms.allSatisfy { vm in
            cluster.host(of: vm).map { hasRoom($0, for: more) } ?? false
        }
    }

    private func hasRoom(_ host: HostIndex, for more: Int) -> Bool {
        hostMoves[host, default: 0] + more <= limits.perHost
            && linkMoves[cluster.hostRows[host].link, default: 0] + more <= limits.perLink
    }

    private mutating func count(_ from: HostIndex, _ to: HostIndex) {
        hostMoves[from, default: 0] += 1
        hostMoves[to, default: 0] += 1
        let (left, right) = (cluster.hostRows[from].link, cluster.hostRows[to].link)
        linkMoves[left, default: 0] += 1
        if right != left { linkMoves[right, default: 0] += 1 }
    }

    private mutating func finishWave() {
        var longest = [Duration.zero, .zero, .zero]
        for move in underWay {
            guard let to = cluster.target(of: move.vm) else { continue }
            let prediction = costs.predict(
                cluster.descriptions[move.vm], linkBytesPerSecond: bandwidth(move.from, to))
            let duration = prediction.duration
            longest = zip(longest, [duration.lower, duration.expected, duration.upper]).map(max)
            plan.moves.append(
                PlannedMove(
                    vm: move.vm, from: move.from, to: to, reason: move.reason, wave: plan.waves,
                    prediction: prediction))
            cluster.finishMove(move.vm)
        }
        plan.waves += 1
        plan.duration = Predicted(
            [plan.duration.lower + longest[0], plan.duration.upper + longest[2]],
            expected: plan.duration.expected + longest[1])
        underWay = []
        hostMoves = [:]
        linkMoves = [:]
    }

    /// What one of the moves of this wave gets of the links that it shares.
    private func bandwidth(_ from: HostIndex, _ to: HostIndex) -> Double {
        [from, to].map {
            let sharers = linkMoves[cluster.hostRows[$0].link, default: 1]
            return cluster.hosts[$0].linkBytesPerSecond / Double(max(1, sharers))
        }.reduce(.infinity, min)
    }

    /// Sends one waiting VM to a spare host, if another wish can start when it is gone.
    private mutating func startDetour() -> Bool {
        guard hasStopped.count < Limits.detoursMax else { return false }
        for wish in pending where wish.vms.count == 1 && !hasStopped.contains(wish.vms[0]) {
            let vm = wish.vms[0]
            guard let from = cluster.host(of: vm), let spare = cluster.choose(vm, by: WorstFit()),
                spare != wish.to
            else { continue }
            cluster.beginMove(vm, to: spare)
            cluster.finishMove(vm)
            let opens = pending.contains { other in
                other.vms != wish.vms && canStart(other)
            }
            cluster.move(vm, to: from)
            guard opens else { continue }
            hasStopped.insert(vm)
            return start(MoveWish(vms: [vm], to: spare, reason: .stopsOver(onTheWayTo: wish.to)))
        }
        return false
    }

    private func canStart(_ wish: MoveWish) -> Bool {
        wish.vms.allSatisfy { cluster.admits($0, on: wish.to, for: .migration, with: wish.vms) }
    }

    private mutating func noteLeft() {
        for wish in pending {
            for vm in wish.vms {
                var why = RefusalSummary()
                if let refusal = cluster.refusal(
                    of: vm, on: wish.to, for: .migration, with: wish.vms)
                {
                    why.addRefusal(refusal, host: cluster.hosts[wish.to].name)
                }
                plan.left.append(LeftVM(vm: vm, why: why))
            }
        }
    }
}
