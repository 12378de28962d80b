// From wishes to waves: which moves can go side by side, and which have to wait for which.
//
// Wishes are started in their order as long as limits and rules allow; those that cannot start wait for the next
// wave, when others have left. If nothing can start and nothing is under way, wishes stand in each other's way (a
// cycle): one VM then makes a stop on a spare host.

/// VMs that go to one host together; mostly a single one.
struct MoveRequest: Sendable {
    var vms: [VMIndex]
    var to: HostIndex
    var reason: MoveReason
}

struct WaveScheduler {
    private(set) var cluster: ClusterState
    private let limits: MoveLimits
    private let costs: MigrationCostModel
    private(set) var plan = MovePlan()

    private var pending: [MoveRequest]
    private var hasStopped: Set<VMIndex> = []
    private var hostMoves: [HostIndex: Int] = [:]
    private var linkMoves: [Int32: Int] = [:]
    private var underWay: [(vm: VMIndex, from: HostIndex, reason: MoveReason)] = []

    init(
        _ wishes: [MoveRequest], in cluster: ClusterState, limits: MoveLimits,
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
    static func scheduleMoves(
        for wishes: [MoveRequest], in cluster: ClusterState, limits: MoveLimits,
        costs: MigrationCostModel, strictly: Bool = false
    ) -> MovePlan {
        var scheduler = WaveScheduler(wishes, in: cluster, limits: limits, costs: costs)
        while !scheduler.pending.isEmpty {
            scheduler.startPending(strictly: strictly)
            if scheduler.underWay.isEmpty, !scheduler.startDetour() { break }
            scheduler.finishWave()
        }
        scheduler.recordUnscheduled()
        return scheduler.plan
    }

    private mutating func startPending(strictly: Bool) {
        var waiting: [MoveRequest] = []
        for (place, wish) in pending.enumerated() {
            let isFull = underWay.count >= limits.perCluster
            if isFull || (strictly && !waiting.isEmpty) {
                waiting.append(contentsOf: pending[place...])
                break
            }
            if !startRequest(wish) { waiting.append(wish) }
        }
        pending = waiting
    }

    /// Starts all VMs of a wish or none.
    private mutating func startRequest(_ wish: MoveRequest) -> Bool {
        guard isWithinLimits(starting: wish) else { return false }
        for (place, vm) in wish.vms.enumerated() {
            guard cluster.migrationTarget(of: vm) == nil,
                cluster.canPlaceVM(vm, on: wish.to, for: .migration, with: wish.vms)
            else {
                for begun in wish.vms[..<place] { cluster.abandonMigration(of: begun) }
                return false
            }
            cluster.beginMigration(of: vm, to: wish.to)
        }
        for vm in wish.vms {
            guard let from = cluster.currentHost(of: vm) else { continue }
            countMove(from: from, to: wish.to)
            underWay.append((vm, from, wish.reason))
        }
        return true
    }

    /// A group that has to go at once may exceed a limit, but only alone.
    private func isWithinLimits(starting wish: MoveRequest) -> Bool {
        if underWay.isEmpty { return true }
        let more = wish.vms.count
        guard underWay.count + more <= limits.perCluster, hasCapacity(on: wish.to, forMoves: more)
        else {
            return false
        }
        return wish.vms.allSatisfy { vm in
            cluster.currentHost(of: vm).map { hasCapacity(on: $0, forMoves: more) } ?? false
        }
    }

    private func hasCapacity(on host: HostIndex, forMoves more: Int) -> Bool {
        hostMoves[host, default: 0] + more <= limits.perHost
            && linkMoves[cluster.hostRows[host].link, default: 0] + more <= limits.perLink
    }

    private mutating func countMove(from: HostIndex, to: HostIndex) {
        hostMoves[from, default: 0] += 1
        hostMoves[to, default: 0] += 1
        let (left, right) = (cluster.hostRows[from].link, cluster.hostRows[to].link)
        linkMoves[left, default: 0] += 1
        if right != left { linkMoves[right, default: 0] += 1 }
    }

    private mutating func finishWave() {
        var longest = [Duration.zero, .zero, .zero]
        for move in underWay {
            guard let to = cluster.migrationTarget(of: move.vm) else { continue }
            let prediction = costs.predictMigration(
                of: cluster.descriptions[move.vm],
                linkBytesPerSecond: sharedBandwidth(from: move.from, to: to))
            let duration = prediction.duration
            longest = zip(longest, [duration.lower, duration.expected, duration.upper]).map(max)
            plan.moves.append(
                PlannedMove(
                    vm: move.vm, from: move.from, to: to, reason: move.reason, wave: plan.waves,
                    prediction: prediction))
            cluster.finishMigration(of: move.vm)
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
    private func sharedBandwidth(from: HostIndex, to: HostIndex) -> Double {
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
            guard let from = cluster.currentHost(of: vm),
                let spare = cluster.chooseHost(for: vm, using: WorstFit()),
                spare != wish.to
            else { continue }
            cluster.beginMigration(of: vm, to: spare)
            cluster.finishMigration(of: vm)
            let opens = pending.contains { other in
                other.vms != wish.vms && canStartRequest(other)
            }
            cluster.relocateVM(vm, to: from)
            guard opens else { continue }
            hasStopped.insert(vm)
            return startRequest(
                MoveRequest(vms: [vm], to: spare, reason: .stopsOver(onTheWayTo: wish.to)))
        }
        return false
    }

    private func canStartRequest(_ wish: MoveRequest) -> Bool {
        wish.vms.allSatisfy { cluster.canPlaceVM($0, on: wish.to, for: .migration, with: wish.vms) }
    }

    private mutating func recordUnscheduled() {
        for wish in pending {
            for vm in wish.vms {
                var why = RefusalSummary()
                if let refusal = cluster.refusalReason(
                    of: vm, on: wish.to, for: .migration, with: wish.vms)
                {
                    why.addRefusal(refusal, host: cluster.hosts[wish.to].name)
                }
                plan.left.append(UnplannedVM(vm: vm, reason: why))
            }
        }
    }
}
